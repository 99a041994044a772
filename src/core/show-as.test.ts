import { strict as assert } from "node:assert";
import { test } from "node:test";
import { inspect } from "node:util";
import { showAs, showAsText } from "./show-as.ts";

class Door {
  readonly machinery: object = { secret: "a key" };
  readonly #size: number = 7;
  get size(): number {
    return this.#size;
  }
}
showAs(Door, "Entrance", ({ size }) => ({ size }));
class BackDoor extends Door {}

test("an object is shown by its name and the properties that were chosen", () => {
  assert.equal(inspect(new Door()), "Entrance { size: 7 }");
  assert.equal(inspect(new BackDoor()), "Entrance { size: 7 }");
  assert.equal(inspect({ door: new Door() }), "{ door: Entrance { size: 7 } }");
});

test("below the depth that was asked for it is shown by its name alone", () => {
  assert.equal(inspect({ door: new Door() }, { depth: 0 }), "{ door: [Entrance] }");
});

test("a prototype, which has none of what its getters read, can be shown", () => {
  assert.equal(inspect(Door.prototype), "{}");
  assert.equal(inspect(BackDoor.prototype), "Door {}");
});

test("an object can be shown as a text", () => {
  class Name {
    readonly text: string = "plaza";
  }
  showAsText(Name, "Name", ({ text }) => text);
  assert.equal(inspect([new Name()]), "[ Name <plaza> ]");
});

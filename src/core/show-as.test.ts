import { strict as assert } from "node:assert";
import { test } from "node:test";
import { inspect } from "node:util";
import { showAs, showAsText } from "./show-as.ts";

class Listener {
  readonly machinery: object = { secret: "a key" };
  readonly #size: number = 7;
  get size(): number {
    return this.#size;
  }
}
showAs(Listener, "Entrance", ({ size }) => ({ size }));
class BackDoor extends Listener {}

test("an object is shown by its name and the properties that were chosen", () => {
  assert.equal(inspect(new Listener()), "Entrance { size: 7 }");
  assert.equal(inspect(new BackDoor()), "Entrance { size: 7 }");
  assert.equal(inspect({ listener: new Listener() }), "{ listener: Entrance { size: 7 } }");
});

test("below the depth that was asked for it is shown by its name alone", () => {
  assert.equal(inspect({ listener: new Listener() }, { depth: 0 }), "{ listener: [Entrance] }");
});

test("a prototype, which has none of what its getters read, can be shown", () => {
  assert.equal(inspect(Listener.prototype), "{}");
  assert.equal(inspect(BackDoor.prototype), "Listener {}");
});

test("an object can be shown as a text", () => {
  class Name {
    readonly text: string = "plaza";
  }
  showAsText(Name, "Name", ({ text }) => text);
  assert.equal(inspect([new Name()]), "[ Name <plaza> ]");
});

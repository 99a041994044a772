import { describe, it } from "node:test";
import { Around, assertCaught, changed } from "../../../test/fixtures/broken-journals.ts";
import { stale } from "../../io/journal/failure.ts";
import type { Following, JournalNeeds, LogFollower, SessionJournal } from "../../io/journal/journal.ts";

describe("journalSuite, of what is published", () => {
  it("catches a channel that loses, doubles, turns, stores or shares, and one that throws", async () => {
    const broken = (
      change: (topic: string, body: Uint8Array, publish: SessionJournal["publish"]) => void,
    ): typeof Around =>
      class extends Around {
        override publish(topic: string, body: Uint8Array): void {
          change(topic, body, (one, bytes) => this.inner.publish(one, bytes));
        }
      };
    await assertCaught(
      broken(() => undefined),
      /heard by all/,
    );
    await assertCaught(
      broken((topic, body, publish) => [1, 2].forEach(() => publish(topic, body))),
      /heard by all/,
    );
    await assertCaught(
      broken((topic, body, publish) => queueMicrotask(() => publish(topic, body))),
      /arrives as it was/,
    );
    await assertCaught(
      broken((topic, body, publish) => publish(topic, body.subarray(0, 65_536))),
      /arrives as it was/,
    );
    const held: (() => void)[] = [];
    await assertCaught(
      broken((topic, body, publish) => {
        const copy = Buffer.from(body);
        held.push(() => publish(topic, copy));
        if (held.length === 2) for (const one of held.splice(0).reverse()) one();
      }),
      /in its order/,
    );
    class Stored extends Around {
      override publish(topic: string, body: Uint8Array): void {
        void this.inner.append(topic, [{ body }]).catch(() => undefined);
      }
      override follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
        return this.inner.follow(behind, {
          ...changed(follower, (all) => all),
          entries: (all) => {
            for (const { topic, body } of all) follower.published?.(topic, body);
          },
        });
      }
    }
    await assertCaught(Stored, /told to nobody later/);
    class Nested extends Around {
      readonly followers: LogFollower[] = [];
      override publish(topic: string, body: Uint8Array): void {
        for (const follower of this.followers) follower.published?.(topic, body);
      }
      override async follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
        this.followers.push(follower);
        return { behind: behind ?? 0, stop: () => undefined };
      }
    }
    await assertCaught(Nested, /nor told inside of a call/);
    await assertCaught(Nested, /stopped hears nothing/);
    class Throwing extends Around {
      #open = false;
      override open(needs: JournalNeeds): Promise<void> {
        this.#open = true;
        return this.inner.open(needs);
      }
      override publish(topic: string, body: Uint8Array): void {
        if (!this.#open) throw stale("commit");
        this.inner.publish(topic, body);
      }
    }
    await assertCaught(Throwing, /nobody throws at close/);
  });
});

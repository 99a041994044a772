import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stale } from "../../io/journal/failure.ts";
import type {
  Following,
  JournalNeeds,
  JournalRecord,
  LogFollower,
  NewEntry,
  SharedEntry,
} from "../../io/journal/journal.ts";
import { Around, assertCaught, changed, failures, made } from "../../../test/fixtures/broken-journals.ts";
import { nextTurn } from "../../../test/fixtures/gate.ts";
import { memoryJournal } from "../../protocol.ts";

describe("journalSuite", () => {
  it("passes a journal that is right", async () => {
    assert.deepEqual(await failures(() => made(Around)), []);
  });

  it("catches a journal that compares no versions", async () => {
    class Careless extends Around {
      override async commit(id: string, _version: number, bytes: Uint8Array): Promise<number> {
        return this.inner.commit(id, (await this.inner.read(id))?.version ?? 0, bytes);
      }
    }
    await assertCaught(Careless, /writing over another version/);
  });

  it("catches a journal that compares before it waits", async () => {
    class Racing extends Around {
      override async commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
        if (((await this.inner.read(id))?.version ?? 0) !== version) throw stale("commit");
        await nextTurn();
        return this.inner.commit(id, (await this.inner.read(id))?.version ?? 0, bytes);
      }
    }
    await assertCaught(Racing, /exactly one does/);
  });

  it("catches a journal that removes any version", async () => {
    class Removing extends Around {
      override async remove(id: string): Promise<void> {
        await this.inner.remove(id, (await this.inner.read(id))?.version ?? 0);
      }
    }
    await assertCaught(Removing, /removing another version/);
  });

  it("catches versions that begin anew", async () => {
    class PerId extends Around {
      readonly bases = new Map<string, number>();
      override async read(id: string): Promise<JournalRecord | undefined> {
        const record = await this.inner.read(id);
        return record && { ...record, version: record.version - (this.bases.get(id) ?? 0) };
      }
      override async commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
        const base = this.bases.get(id) ?? 0;
        const written = await this.inner.commit(id, version === 0 ? 0 : version + base, bytes);
        if (version === 0) this.bases.set(id, written - 1);
        return written - (this.bases.get(id) ?? 0);
      }
      override remove(id: string, version: number): Promise<void> {
        return this.inner.remove(id, version + (this.bases.get(id) ?? 0));
      }
    }
    assert.deepEqual(await failures(() => made(PerId), /created, read, written|stale, and writes/), []);
    await assertCaught(PerId, /used again/);
  });

  it("catches bytes that are shared with the caller", async () => {
    class Sharing extends Around {
      readonly given = new Map<string, Uint8Array>();
      override commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
        this.given.set(id, bytes);
        return this.inner.commit(id, version, bytes);
      }
      override async read(id: string): Promise<JournalRecord | undefined> {
        const record = await this.inner.read(id);
        return record && { ...record, bytes: this.given.get(id) ?? record.bytes };
      }
    }
    await assertCaught(Sharing, /bytes that were given/);
  });

  it("catches records that are too short, or that are taken for one another", async () => {
    class Cut extends Around {
      override commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
        return this.inner.commit(id, version, bytes.subarray(0, 1_000_000));
      }
    }
    await assertCaught(Cut, /as long as 1 MiB/);
    class Folded extends Around {
      override commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
        return this.inner.commit(id.toLowerCase(), version, bytes);
      }
      override read(id: string): Promise<JournalRecord | undefined> {
        return this.inner.read(id.toLowerCase());
      }
    }
    await assertCaught(Folded, /any characters, and no two/);
    class Forgetful extends Around {
      override read(id: string): Promise<JournalRecord | undefined> {
        return this.inner.read(id === "session 4711" ? "session 4712" : id);
      }
    }
    await assertCaught(Forgetful, /kept apart/);
  });

  it("catches a log that loses, doubles or turns what it tells", async () => {
    const broken = (change: (entries: readonly SharedEntry[]) => readonly SharedEntry[]): typeof Around =>
      class extends Around {
        override follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
          return this.inner.follow(behind, changed(follower, change));
        }
      };
    await assertCaught(
      broken((all) => all.filter(({ place }) => place !== 1_000)),
      /one order/,
    );
    await assertCaught(
      broken((all) => all.flatMap((one) => (one.place === 1_000 ? [one, one] : [one]))),
      /one order/,
    );
    await assertCaught(
      broken((all) => [...all].reverse()),
      /one order/,
    );
    await assertCaught(
      broken((all) => all.map((one) => ({ ...one, topic: one.topic.trim() }))),
      /any topic/,
    );
    await assertCaught(
      broken((all) => all.map((one) => ({ ...one, body: one.body.subarray(0, 9_999) }))),
      /any topic/,
    );
    const [shared, bodies] = [
      new Map<number, Uint8Array>(),
      (all: readonly SharedEntry[]) =>
        all.map((one) => {
          const body = shared.get(one.place) ?? one.body;
          shared.set(one.place, body);
          return { ...one, body };
        }),
    ] as const;
    await assertCaught(broken(bodies), /is not seen by another/);
  });

  it("catches a wrong beginning", async () => {
    class FromTheStart extends Around {
      override follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
        return this.inner.follow(behind ?? 0, follower);
      }
    }
    await assertCaught(FromTheStart, /nothing of before/);
    class OneLate extends Around {
      override follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
        return this.inner.follow(behind === undefined ? undefined : behind + 1, follower);
      }
    }
    await assertCaught(OneLate, /all that stands behind it/);
  });

  it("catches calls inside of a call, and a follower that cannot be stopped", async () => {
    class Inside extends Around {
      readonly followers: LogFollower[] = [];
      override async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
        const places = await this.inner.append(topic, entries);
        const told = entries.map(({ body }, index) => ({ place: places[index] as number, topic, body }));
        for (const follower of this.followers) follower.entries(told);
        return places;
      }
      override async follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
        this.followers.push(follower);
        return { behind: behind ?? 0, stop: () => undefined };
      }
    }
    await assertCaught(Inside, /stopped in its own call/);
    class Nested extends Around {
      override async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
        const told = entries.map(({ body }) => ({ place: (this.place += 1), topic, body }));
        for (const follower of this.followers) follower.entries(told);
        return told.map(({ place }) => place);
      }
      place = 0;
      readonly followers: LogFollower[] = [];
      override async follow(_behind: number | undefined, follower: LogFollower): Promise<Following> {
        this.followers.push(follower);
        return { behind: 0, stop: () => undefined };
      }
    }
    await assertCaught(Nested, /not inside of its call/);
  });

  it("catches a gap that nobody is told of, and a log without a bound", async () => {
    class Silent extends Around {
      override follow(behind: number | undefined, follower: LogFollower): Promise<Following> {
        return this.inner.follow(behind, { ...changed(follower, (all) => all), gap: () => undefined });
      }
    }
    await assertCaught(Silent, /not kept any more/);
    await assertCaught(Silent, /has not reached/);
    assert.notEqual((await failures(() => made(Around, { maxEntries: 100_000 }), /not kept any more/)).length, 0);
    assert.notEqual((await failures(() => made(Around, { maxEntries: 300 }), /not kept any more/)).length, 0);
  });

  it("catches entries of one call that are out of order", async () => {
    class Backwards extends Around {
      override async append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
        return (await this.inner.append(topic, entries.toReversed())).toReversed();
      }
    }
    await assertCaught(Backwards, /stands in its order/);
  });

  it("catches keys that are not known again, or that are taken for one another", async () => {
    class Unkeyed extends Around {
      override append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
        return this.inner.append(
          topic,
          entries.map(({ body }) => ({ body })),
        );
      }
    }
    await assertCaught(Unkeyed, /not appended again/);
    await assertCaught(Unkeyed, /in one call an entry/);
    await assertCaught(Unkeyed, /with one key at once/);
    class OneKey extends Around {
      override append(topic: string, entries: readonly NewEntry[]): Promise<readonly number[]> {
        return this.inner.append(
          topic,
          entries.map(({ key, body }) => ({ key: String(key), body })),
        );
      }
    }
    await assertCaught(OneKey, /other keys are others/);
  });

  it("catches a journal whose names mean nothing, and one that forgets", async () => {
    assert.notEqual((await failures(() => (wanted) => memoryJournal(wanted), /everything in common/)).length, 0);
    assert.notEqual((await failures(() => (wanted) => memoryJournal(wanted), /opened again/)).length, 0);
    const one = memoryJournal();
    assert.notEqual((await failures(() => () => one, /everything in common/)).length, 0);
  });

  it("catches a journal that is open for ever, or that one close ends", async () => {
    class Open extends Around {
      override async close(): Promise<void> {}
    }
    await assertCaught(Open, /without open, and after close/);
    await assertCaught(Open, /hears nothing after close/);
    class Once extends Around {
      #open = false;
      override async open(needs: JournalNeeds): Promise<void> {
        if (!this.#open) await this.inner.open(needs);
        this.#open = true;
      }
      override async close(): Promise<void> {
        this.#open = false;
        await this.inner.close();
      }
    }
    await assertCaught(Once, /as often as it was opened/);
  });

  it("catches calls that never end, or that do not say what was written", async () => {
    class Hanging extends Around {
      override async close(): Promise<void> {
        this.closed = true;
        await this.inner.close();
      }
      closed = false;
      override async commit(id: string, version: number, bytes: Uint8Array): Promise<number> {
        await nextTurn();
        return this.closed ? new Promise(() => undefined) : this.inner.commit(id, version, bytes);
      }
    }
    await assertCaught(Hanging, /under way at close/);
    class Lying extends Around {
      override async commit(id: string): Promise<number> {
        return id.length;
      }
    }
    await assertCaught(Lying, /under way at close/);
  });
});

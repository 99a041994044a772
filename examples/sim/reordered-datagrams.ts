/** A player's position comes in datagrams and is taken as it comes: one that was overtaken moves the player back. */

import { bind } from "zocalo";
import { simulation } from "zocalo/sim";

const MOVES = 50;

/** The program with its mistake, or without. */
const program = (correct: boolean) =>
  simulation({ name: "reordered datagrams" }, async (world) => {
    let shown = 0;
    const game = world.host("game");
    const box = await bind("udp://0.0.0.0:5000", { network: game.network });
    const show = async (): Promise<void> => {
      for await (const { data } of box) {
        // A datagram that was damaged on the way is not a position; 16 bits of sum find most of these.
        if (data.length !== 4 || data.readUInt16BE(0) !== (~data.readUInt16BE(2) & 0xffff)) continue;
        const move = data.readUInt16BE(0);
        world.sometimes("a move comes too late", move < shown);
        // The remedy: moves are numbered, and an old one is dropped.
        if (correct && move < shown) continue;
        world.always("a player never moves back", move >= shown);
        shown = move;
      }
    };
    const showing = show();
    const player = await bind("udp://0.0.0.0:0", { network: world.host("player").network });
    for (let move = 1; move <= MOVES; move += 1) {
      const data = Buffer.alloc(4);
      data.writeUInt16BE(move, 0);
      data.writeUInt16BE(~move & 0xffff, 2);
      await player.send(data, "udp://game:5000");
      await world.sleep(50);
    }
    await box.close();
    await showing;
  });

export default program(false);
export const fixed = program(true);

/** A process whose clients join a group: once it is stopped they never read. `node deaf PORT GROUP`. */

import { openPlaza } from "../../src/cli/demo/plaza.ts";
import { play } from "../harness/processes.ts";

const [, , , port = "", group = ""] = process.argv;
const nobody = { heard: () => undefined, away: () => undefined, back: () => undefined };

play({
  deaf: () => ({
    join: async ({ count = 0 }) => {
      const servers = [`tcp://127.0.0.1:${port}`];
      await Promise.all(Array.from({ length: count }, () => openPlaza(servers, group, nobody)));
      return {};
    },
  }),
});

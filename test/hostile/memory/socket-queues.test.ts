/** What the queues of sockets hold is charged with the memory that it pins. */

import { socketQueues } from "./fill-queues.ts";
import { testQueues } from "./measured-queues.ts";

testQueues(Object.keys(socketQueues));

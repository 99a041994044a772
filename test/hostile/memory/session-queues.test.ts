/** What the queues of sessions hold is charged with the memory that it pins. */

import { sessionQueues } from "./fill-queues.ts";
import { testQueues } from "./measured-queues.ts";

testQueues(Object.keys(sessionQueues));

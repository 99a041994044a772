/** What the client does, on any network: the real one, or the simulated one of a test. */

import { type ConnectOptions, connect, type NetworkOption } from "zocalo";
import { lines } from "zocalo/framing";

/** Sends each question as a line, and answers what comes back. It waits for a server that is not up yet. */
export async function ask(
  address: string,
  questions: readonly string[],
  options: ConnectOptions & NetworkOption = {},
): Promise<readonly string[]> {
  const call = await connect(address, { retry: { timeoutMs: 60_000 }, ...options });
  const talk = call.framed(lines());
  const answers: string[] = [];
  for (const question of questions) {
    await talk.send(question);
    const answer = await talk.receive({ timeoutMs: 60_000 });
    if (answer === null) break; // The server has ended the connection.
    answers.push(answer);
  }
  await talk.close();
  return answers;
}

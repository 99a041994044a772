/** State machines as tables. */

/** What can happen in each state, and the state that follows. What a row does not name cannot happen. */
export type StateTable<State extends string, Input extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Input, State>>>>
>;

/** The table as a Mermaid diagram, for the documentation. It begins in its first state, and ends in those with no way out. */
export function diagramOf(table: StateTable<string, string>): string {
  const states = Object.keys(table);
  const lines = states.flatMap((from) => {
    const row = Object.entries(table[from] ?? {});
    return row.length === 0 ? [`  ${from} --> [*]`] : row.map(([input, to]) => `  ${from} --> ${to}: ${input}`);
  });
  return ["stateDiagram-v2", `  [*] --> ${states[0]}`, ...lines, ""].join("\n");
}

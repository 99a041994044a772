/** State machines as tables. */

/** What can happen in each state, and the state that follows. What a row does not name cannot happen. */
export type StateTable<State extends string, Input extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Input, State>>>>
>;

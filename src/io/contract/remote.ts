/** The methods of the peer, as functions on an object of their own. */

/**
 * An object with a function for each method. Each knows where it belongs, so that a program may take it off and pass it on. The
 * object has no prototype: no name is taken.
 */
export function remoteObject<M extends { readonly name: string }>(
  methods: readonly M[],
  functionOf: (method: M, place: number) => (input: unknown, options?: never) => unknown,
): object {
  const remote = Object.create(null) as Record<string, unknown>;
  for (const [place, method] of methods.entries()) remote[method.name] = functionOf(method, place);
  return Object.freeze(remote);
}

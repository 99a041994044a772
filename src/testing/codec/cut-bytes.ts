/** Bytes cut into pieces, the way a network cuts them. */

/** Numbers from a seed, the same ones each time (mulberry32). Not for secrets. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Pieces of `pieceBytes` bytes each; the last one may be shorter. */
export function equalPieces(bytes: Buffer, pieceBytes: number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return pieces;
}

/** Pieces of many sizes, from none to a few hundred bytes, small ones most often. */
export function randomPieces(bytes: Buffer, next: () => number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = Math.floor(next() ** 3 * 400);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** The bytes with some of them changed, left out or doubled; or bytes that have nothing to do with them. */
export function damaged(bytes: Buffer, next: () => number): Buffer {
  if (next() < 0.2)
    return Buffer.from(Array.from({ length: Math.floor(next() * 300) }, () => Math.floor(next() * 256)));
  const out = [...bytes];
  for (let times = 1 + Math.floor(next() * 4); times > 0; times -= 1) {
    const at = Math.floor(next() * out.length);
    const choice = next();
    if (choice < 0.5) out[at] = Math.floor(next() * 256);
    else if (choice < 0.75) out.splice(at, 1 + Math.floor(next() * 3));
    else out.splice(at, 0, ...out.slice(at, at + 5));
  }
  return Buffer.from(out);
}

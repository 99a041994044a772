// Pictures of pages come along in the package. With a palette of 256 colours they have a third of the bytes, and look the same.
import { runOrExit } from "../run-command.mjs";

/** Gives PNG files a palette, with Debian's pngquant. */
export async function givePalette(paths) {
  await runOrExit("pngquant", ["--strip", "--force", "--ext", ".png", "256", ...paths]);
}

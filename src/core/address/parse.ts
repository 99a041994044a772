import type { AddressParts } from "./parts.ts";
export function partsOfText(_text: string, _options: object): AddressParts {
  throw new Error("not yet");
}
export function partsOfInit(_init: object, _options: object): AddressParts {
  throw new Error("not yet");
}

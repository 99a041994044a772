import type { AddressParts } from "./parts.ts";
export function formatAddress(_a: AddressParts): string {
  return "";
}
export function formatHostPort(_a: AddressParts): string {
  return "";
}

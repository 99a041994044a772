import type { AddressParts } from "./parts.ts";
export function isLoopback(_a: AddressParts): boolean {
  return false;
}
export function isPrivate(_a: AddressParts): boolean {
  return false;
}
export function isLinkLocal(_a: AddressParts): boolean {
  return false;
}
export function isMulticast(_a: AddressParts): boolean {
  return false;
}
export function isBroadcast(_a: AddressParts): boolean {
  return false;
}
export function isUnspecified(_a: AddressParts): boolean {
  return false;
}

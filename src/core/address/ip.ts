export function canonicalIpv6(text: string): string {
  return text;
}
export function unmappedIpv4(_text: string): string | undefined {
  return undefined;
}

/** Multicast groups as programs name them (RFC 1112, RFC 4607). */

import { Address } from "../../core/address/address.ts";
import { UsageError } from "../../core/errors.ts";
import { checkOptions, type RulesOf, TEXT } from "../../core/options/check-options.ts";
import type { GroupOptions } from "./public.ts";
import type { OperationContext } from "../operation/deadline.ts";
import type { GroupMembership } from "../network/network.ts";

const RULES: RulesOf<GroupOptions> = { interface: TEXT, source: TEXT };

/** Checks a group that a datagram socket on `local` wants to join. */
export function membership(
  group: string | Address,
  given: GroupOptions,
  context: OperationContext,
  local: Address,
): GroupMembership {
  const options = checkOptions(context, given, RULES);
  const address = ipOf(group, "group", context);
  if (!address.isMulticast || address.family !== local.family) {
    const detail = address.isMulticast
      ? `a datagram socket on ${local.hostPort} cannot join a group of the other IP version`
      : `${address.host} is not a multicast group (224.0.0.0/4 or ff00::/8)`;
    throw new UsageError("ADDRESS_INVALID", { ...context, detail });
  }
  const source = options.source === undefined ? undefined : ipOf(options.source, "source", context).host;
  const zone = address.zone === "" ? undefined : address.zone;
  return { group: address.host, interface: options.interface ?? zone, source };
}

function ipOf(input: string | Address, what: string, context: OperationContext): Address {
  if (input instanceof Address) return input;
  const { op } = context;
  if (typeof input !== "string") {
    throw new UsageError("ADDRESS_INVALID", {
      ...context,
      detail: `${what} must be an IP address as text, or an Address`,
    });
  }
  const address = input.includes("://")
    ? Address.parse(input, { transport: "udp", defaultPort: 0, op })
    : Address.parse({ transport: "udp", host: input, port: 0 }, { op });
  if (address.isIp) return address;
  throw new UsageError("ADDRESS_INVALID", { ...context, detail: `${what} must be an IP address, not a name` });
}

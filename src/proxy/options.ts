/** What `startProxy` may be asked, and its rules. Everything is looked at before any socket opens. */

import { Address, type AddressLike } from "../core/address/address.ts";
import {
  ANYTHING,
  checkOptions,
  FLAG,
  LIST,
  OBJECT,
  optionInvalid,
  type OptionRules,
  type RulesOf,
  TEXT,
  wholeNumber,
} from "../core/options/check-options.ts";
import { UsageError } from "../core/errors.ts";
import { checkProxyFault, type ProxyFault } from "./fault.ts";
import { NETWORK_RULES } from "../api/call-options.ts";
import type { CaptureOptions, ProxyChange, ProxyDefinition, StartProxyOptions } from "./public.ts";

/** What {@link StartProxyOptions} must look like. */
export const START_RULES: OptionRules = {
  ...NETWORK_RULES,
  ...({
    seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    proxies: { ...LIST, required: false },
    schedule: OBJECT,
    expose: FLAG,
  } satisfies RulesOf<Omit<StartProxyOptions, "network">>),
};

/** The last moment that a `Date` knows: the times of a capture have room for it. */
const LAST_EPOCH_MS = 8_640_000_000_000_000;

/** What {@link CaptureOptions} must look like. */
export const CAPTURE_RULES: RulesOf<CaptureOptions> = {
  epochMs: {
    wanted: `a number from 0 to ${LAST_EPOCH_MS}`,
    holds: (value) => typeof value === "number" && value >= 0 && value <= LAST_EPOCH_MS,
  },
};

const DEFINITION_RULES: RulesOf<ProxyDefinition> = {
  name: { ...TEXT, required: true },
  listen: ANYTHING,
  upstream: { ...ANYTHING, required: true },
  enabled: FLAG,
  faults: { ...LIST, required: false },
};
const CHANGE_RULES: RulesOf<ProxyChange> = { listen: ANYTHING, upstream: ANYTHING, enabled: FLAG };

/** A proxy as it was asked for, checked. */
export interface ProxyPlan {
  readonly name: string;
  readonly listen: Address;
  readonly upstream: Address;
  readonly enabled: boolean;
  readonly faults: readonly ProxyFault[];
}

/** Checks one proxy; `path` names it in errors. */
export function planOf(definition: ProxyDefinition, expose: boolean, op: string, path = ""): ProxyPlan {
  const checked = checkOptions({ op }, definition, DEFINITION_RULES, path);
  const { name, listen, enabled = true, faults = [] } = checked;
  if (checked.upstream === undefined) throw optionInvalid({ op }, `${path}upstream is missing; give an address`);
  const plan = { name, enabled, faults, ...addressesOf(listen, checked.upstream, expose, op) };
  for (const [index, fault] of faults.entries()) checkProxyFault(fault, plan.upstream, op, `${path}faults[${index}].`);
  return plan;
}

/** What a proxy becomes by a change. */
export function changed(plan: ProxyPlan, change: ProxyChange, expose: boolean, op: string): ProxyPlan {
  const { listen = plan.listen, upstream = plan.upstream, enabled } = checkOptions({ op }, change, CHANGE_RULES);
  const next = { ...plan, enabled: enabled ?? plan.enabled, ...addressesOf(listen, upstream, expose, op) };
  // Datagrams cannot have all faults of connections.
  if ((next.upstream.transport === "udp") === (plan.upstream.transport === "udp")) return next;
  throw optionInvalid(
    { op },
    `a proxy of ${String(plan.upstream)} cannot become one of ${String(next.upstream)}; add another one`,
  );
}

function addressesOf(
  listen: AddressLike | undefined,
  upstream: AddressLike,
  expose: boolean,
  op: string,
): Pick<ProxyPlan, "listen" | "upstream"> {
  const to = addressOf(upstream, "upstream", expose, op);
  const isUdp = to.transport === "udp";
  const from = addressOf(listen ?? (isUdp ? "udp://127.0.0.1:0" : "tcp://127.0.0.1:0"), "listen", expose, op);
  if ((from.transport === "udp") !== isUdp) {
    throw optionInvalid(
      { op },
      `a proxy cannot turn ${from.transport} (${String(from)}) into ${to.transport} (${String(to)})`,
    );
  }
  if (from.equals(to) && from.port !== 0) {
    const detail = `listen and upstream are both ${String(from)}: the proxy would connect to itself without end`;
    throw optionInvalid({ op }, `${detail}; give the address of the server as upstream`);
  }
  return { listen: from, upstream: to };
}

function addressOf(given: AddressLike, role: string, expose: boolean, op: string): Address {
  const address = Address.parse(given, { op, transport: "tcp" });
  const wrong = (detail: string): UsageError =>
    new UsageError("ADDRESS_INVALID", { op, local: String(address), detail });
  if (address.transport === "tls") throw wrong("the proxy passes TLS as bytes; write tcp:// instead of tls://");
  if (!expose && address.transport !== "unix" && !address.isLoopback) {
    throw wrong(`${role} is not on this machine's loopback; set \`expose\` if others may reach what the proxy reaches`);
  }
  return address;
}

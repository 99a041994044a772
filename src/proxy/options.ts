/** What `startProxy` may be asked, and its rules. Everything is looked at before any socket opens. */

import { Address, type AddressLike } from "../core/address/address.ts";
import {
  ANYTHING,
  checkOptions,
  countFrom,
  FLAG,
  LIST,
  OBJECT,
  optionInvalid,
  options as object,
  type OptionRule,
  type OptionRules,
  type RulesOf,
  wholeNumber,
} from "../core/options/check-options.ts";
import { UsageError } from "../core/errors.ts";
import { checkProxyFault, type ProxyFault } from "./fault.ts";
import { NETWORK_RULES } from "../api/call-options.ts";
import type { CaptureOptions, ProxyChange, ProxyDefinition, ProxyLimits, StartProxyOptions } from "./public.ts";

/** What {@link StartProxyOptions} must look like. */
export const START_RULES: OptionRules = {
  ...NETWORK_RULES,
  ...({
    seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    proxies: { ...LIST, required: false },
    schedule: OBJECT,
    expose: FLAG,
    limits: object({ maxFaults: countFrom(1) } satisfies RulesOf<ProxyLimits>),
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

/** A name that can be a part of the path of a URL, as the HTTP interface has it. */
export const NAME: OptionRule = {
  wanted: 'a text that is not empty, "." or "..", without "/" and without half of a surrogate pair',
  holds: (value) => typeof value === "string" && /^(?!\.{1,2}$)[^/\p{Surrogate}]+$/u.test(value),
};

const DEFINITION_RULES: RulesOf<ProxyDefinition> = {
  name: { ...NAME, required: true },
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

/** What all proxies that run together may do. */
export interface ProxyRules {
  readonly expose: boolean;
  readonly maxFaults: number;
}

/** Checks one proxy; `path` names it in errors. */
export function planOf(definition: ProxyDefinition, rules: ProxyRules, op: string, path = ""): ProxyPlan {
  const checked = checkOptions({ op }, definition, DEFINITION_RULES, path);
  const { name, listen, enabled = true, faults = [] } = checked;
  if (checked.upstream === undefined) throw optionInvalid({ op }, `${path}upstream is missing; give an address`);
  const addresses = addressesOf(listen, checked.upstream, rules.expose, op, path);
  if (faults.length > rules.maxFaults) {
    throw optionInvalid(
      { op },
      `${path}faults must have limits.maxFaults (${rules.maxFaults}) items at most, not ${faults.length}`,
    );
  }
  for (const [index, fault] of faults.entries()) {
    checkProxyFault(fault, addresses.upstream, op, `${path}faults[${index}].`);
  }
  // A copy: what has been checked stays so.
  return { name, enabled, faults: structuredClone(faults), ...addresses };
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
  path = "",
): Pick<ProxyPlan, "listen" | "upstream"> {
  const to = addressOf(upstream, `${path}upstream`, expose, op);
  if (to.transport !== "unix" && to.port === 0) {
    throw optionInvalid(
      { op },
      `${path}upstream must have a port from 1 on, not ${String(to)}: nothing listens at port 0`,
    );
  }
  const isUdp = to.transport === "udp";
  const from = addressOf(listen ?? (isUdp ? "udp://127.0.0.1:0" : "tcp://127.0.0.1:0"), `${path}listen`, expose, op);
  if ((from.transport === "udp") !== isUdp) {
    throw optionInvalid(
      { op },
      `a proxy cannot turn ${from.transport} (${String(from)}) into ${to.transport} (${String(to)})`,
    );
  }
  return { listen: from, upstream: to };
}

function addressOf(given: AddressLike, role: string, expose: boolean, op: string): Address {
  const address = Address.parse(given, { op, transport: "tcp" });
  const wrong = (detail: string): UsageError =>
    new UsageError("ADDRESS_INVALID", { op, local: String(address), detail });
  if (address.transport === "tls") throw wrong("the proxy passes TLS as bytes; write tcp:// instead of tls://");
  if (!expose && address.transport !== "unix" && !address.isLoopback) {
    throw wrong(
      `${role} is not on this machine's loopback; start with \`expose\` if others may reach what the proxy reaches`,
    );
  }
  return address;
}

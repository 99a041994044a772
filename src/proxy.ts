/**
 * A proxy that breaks the network of any program: TCP, TLS as bytes, Unix sockets and UDP, with faults that a seed decides.
 *
 * @packageDocumentation
 */

export type { Draw } from "./core/faults/draw.ts";
export type { StreamFault } from "./core/faults/stream-fault.ts";
export type { Direction, ProxyFault, ProxyTrigger } from "./proxy/fault.ts";
export type {
  CaptureOptions,
  FaultProxies,
  FaultProxy,
  ProxiedConnection,
  ProxyChange,
  ProxyDefinition,
  ProxyLimits,
  ProxyRecording,
  SchedulePlay,
  StartProxyOptions,
  WriteCapture,
} from "./proxy/public.ts";
export { type ServedApi, serveApi } from "./proxy/api/serve-api.ts";
export { type ServedPage, servePage, type ServePageOptions } from "./proxy/page/serve-page.ts";
export type { ConnectionReport, ProxyBytes, ProxyReport } from "./proxy/report.ts";
export { startProxy } from "./proxy/start-proxy.ts";
export type {
  ChunkEvent,
  CloseEvent,
  ConnectionEvent,
  DatagramEvent,
  EndEvent,
  FaultEvent,
  OpenEvent,
  ProxyEvent,
  ProxyListener,
  ReleaseEvent,
  ResetEvent,
  WatchedPiece,
} from "./proxy/watch.ts";
export {
  formatSchedule,
  type ParseScheduleOptions,
  parseSchedule,
  type ProxySchedule,
  type ScheduledFault,
} from "./proxy/schedule.ts";

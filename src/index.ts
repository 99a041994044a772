/**
 * Zócalo: TCP, TLS, Unix and UDP sockets for TypeScript.
 *
 * @packageDocumentation
 */

export {
  Address,
  type AddressChange,
  type AddressFamily,
  type AddressInit,
  type AddressLike,
  type AddressParams,
  type AddressParseOptions,
  type Transport,
} from "./core/address/address.ts";
export { AddressList } from "./core/address/cidr.ts";
export * from "./core/errors.ts";
export { formatProxyHeader, type ProxyHeaderInit } from "./core/proxy/format.ts";
export { type ProxyHeader, type ProxySsl, type ProxyTlv, proxyTlvTypes } from "./core/proxy/header.ts";
export { type ParsedProxyHeader, parseProxyHeader, type ProxyParseOptions } from "./core/proxy/parse.ts";
export type { ConnectOptions } from "./io/stream/connect.ts";
export type { ConnectionOptions, StreamLimits, StreamTimeouts, TcpOptions } from "./io/stream/settings.ts";
export type {
  DatagramContext,
  DatagramCloseReport,
  DatagramHandler,
  DatagramRequest,
  DatagramServer,
  DatagramServerLimits,
  DatagramServerStats,
  ServeDatagramsOptions,
} from "./io/datagram/server.ts";
export type {
  DatagramEnd,
  DatagramInput,
  DatagramSocket,
  DatagramStats,
  DatagramToSend,
  FramedDatagrams,
  UdpSettings,
} from "./io/datagram/public.ts";
export type {
  GroupOptions,
  BindOptions,
  CollectOptions,
  DatagramCloseOptions,
  DatagramLimits,
  UdpOptions,
} from "./io/datagram/settings.ts";
export type { SendReport } from "./io/datagram/owner.ts";
export type { OperationOptions, ReceiveOptions } from "./io/operation/deadline.ts";
export type { Interop, NativeInterop } from "./io/operation/own-clock.ts";
export type { DiagnosticEvent } from "./io/operation/diagnostics.ts";
export type {
  Listener,
  ListenerLimits,
  ListenerEnd,
  ListenerStats,
  ListenerTcpOptions,
  ListenerTimeouts,
  ListenOptions,
  ProxyProtocolOptions,
  RefusalReason,
} from "./io/listener/public.ts";
export type {
  Clock,
  ListenerSink,
  ListenerTransport,
  Network,
  Random,
  Sockets,
  StreamSink,
  StreamTraits,
  StreamTransport,
  Timer,
  TransportConnectOptions,
  TransportListenOptions,
} from "./io/network/network.ts";
export type {
  Datagram,
  DatagramSink,
  DatagramTransport,
  GroupMembership,
  OutgoingDatagram,
  SendFailure,
  TransportBindOptions,
} from "./io/network/datagrams.ts";
export { type RelayOptions, type RelayReport, relay } from "./io/stream/relay.ts";
export type { Backoff } from "./core/options/backoff.ts";
export type { OverflowPolicy } from "./core/options/check-options.ts";
export type { OnError } from "./io/operation/peer-problems.ts";
export type {
  CloseReport,
  CloseServerOptions,
  GracefulCloseOptions,
  ServerEnd,
} from "./io/operation/graceful-close.ts";
export type {
  BroadcastMember,
  MessageBroadcastOptions,
  StreamBroadcastOptions,
  StreamBroadcastReport,
} from "./io/stream/broadcast.ts";
export type { Peer, PeerHandler, ServeOptions, Server } from "./io/listener/public.ts";
export type { FramedDatagramsOver, ReceivedMessage } from "./io/datagram/framed-public.ts";
export type { FramedStreamOver } from "./io/stream/framed-public.ts";
export type { CloseOptions, StreamEnd } from "./io/stream/end.ts";
export type {
  Expected,
  ExpectOptions,
  FramedStream,
  PeekRange,
  ReadOptions,
  ReadUntilOptions,
  StreamInterop,
  StreamSocket,
  TcpSettings,
  WriteInput,
} from "./io/stream/public.ts";
export type { StartTlsOptions } from "./io/stream/tls-settings.ts";
export type { PeerCertificate, TlsIdentity, TlsInfo, TlsMaterial, TlsOptions } from "./io/network/tls.ts";
export { bind, connect, listen, pair, serve, serveDatagrams, sleep, type SleepOptions } from "./api/sockets.ts";
export { type NetworkOption } from "./api/call-options.ts";
export { nodeNetwork } from "./node/network.ts";
export {
  type ClosableServer,
  closeOnSignals,
  type CloseOnSignalsOptions,
  type SignalOptions,
} from "./api/close-on-signals.ts";

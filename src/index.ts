/**
 * Zócalo: TCP, TLS, Unix and UDP sockets for TypeScript.
 *
 * @packageDocumentation
 */
export * from "./core/errors.ts";

import { Client, Server, ServerCredentials, credentials } from "@grpc/grpc-js";

const same = (bytes) => bytes;
const method = (path, requestStream) => ({
  path,
  requestStream,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const SERVICE = { events: method("/bench/events", true), call: method("/bench/call", false) };

export async function serve({ event, call }) {
  const server = new Server();
  server.addService(SERVICE, {
    events(stream, answer) {
      stream.on("data", event);
      stream.on("end", () => answer(null, Buffer.alloc(0)));
    },
    call: (request, answer) => answer(null, call(request.request)),
  });
  return await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve({ port }),
    );
  });
}

export async function open(port) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  await new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + 5000, (error) => (error ? reject(error) : resolve()));
  });
  let stream;
  return {
    event(message) {
      stream ??= client.makeClientStreamRequest("/bench/events", same, same, () => undefined);
      if (!stream.write(message)) return new Promise((resolve) => stream.once("drain", resolve));
    },
    call: (message) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest("/bench/call", same, same, message, (error, answer) =>
          error ? reject(error) : resolve(answer),
        );
      }),
  };
}

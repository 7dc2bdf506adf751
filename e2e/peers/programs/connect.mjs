// A Connect server behind the product (`serve`), which requires the header of its protocol, and a client before it (`call`).
import { createServer } from 'node:http';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  StringValueSchema,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { connectNodeAdapter, createConnectTransport } from '@connectrpc/connect-node';

const STRING = '.google.protobuf.StringValue';
const registry = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'echo.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: ['google/protobuf/wrappers.proto'],
    service: [
      {
        name: 'Echo',
        method: [
          { name: 'Say', inputType: STRING, outputType: STRING },
          { name: 'Spell', inputType: STRING, outputType: STRING, serverStreaming: true },
        ],
      },
    ],
  }),
  () => file_google_protobuf_wrappers.proto,
);
const Echo = registry.getService('test.Echo');

const [task, origin] = process.argv.slice(2);
if (task === 'serve') serve();
else await call();

function serve() {
  const routes = (router) =>
    router.service(Echo, {
      say: (text, context) => {
        if (text.value === 'no') throw new ConnectError('not that word', Code.PermissionDenied);
        context.responseTrailer.set('said', String(text.value.length));
        return create(StringValueSchema, { value: text.value });
      },
      async *spell(text) {
        for (const value of text.value) yield create(StringValueSchema, { value });
      },
    });
  const server = createServer(
    connectNodeAdapter({ routes, requestPathPrefix: '/v1', requireConnectProtocolHeader: true }),
  );
  server.listen(0, '127.0.0.1', () => console.log(`listens on ${server.address().port}`));
}

async function call() {
  const withToken = (next) => (request) => {
    request.header.set('authorization', `Bearer ${process.env.TOKEN}`);
    return next(request);
  };
  const transport = createConnectTransport({
    baseUrl: `${origin}/v1`,
    httpVersion: '1.1',
    interceptors: [withToken],
    defaultTimeoutMs: 20_000,
  });
  const client = createClient(Echo, transport);
  let trailer;
  const { value } = await client.say(
    { value: 'hello' },
    { onTrailer: (headers) => (trailer = headers.get('said')) },
  );
  const letters = [];
  for await (const letter of client.spell({ value: 'abc' })) letters.push(letter.value);
  const refused = await client.say({ value: 'no' }).catch((error) => error.code);
  console.log(JSON.stringify({ value, trailer, letters, refused: Code[refused] }));
}

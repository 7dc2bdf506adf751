// A stateful server of the Model Context Protocol behind the product (`serve`), and a client before it (`call`).
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

const [task, origin] = process.argv.slice(2);
if (task === 'serve') serve();
else await call();

function serve() {
  const sessions = new Map();
  const server = createServer(async (request, response) => {
    const known = sessions.get(request.headers['mcp-session-id']);
    if (known !== undefined) {
      await known.transport.handleRequest(request, response);
      return;
    }
    const listening = new EventEmitter();
    const isListening = once(listening, 'open');
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => sessions.set(id, { transport }),
      onsessionclosed: (id) => sessions.delete(id),
    });
    // The stream for messages of the server is the one that the client asks for by GET.
    server.on('request', ({ method }) => {
      if (method === 'GET') setImmediate(() => listening.emit('open'));
    });
    await tools(isListening).connect(transport);
    await transport.handleRequest(request, response);
  });
  server.listen(0, '127.0.0.1', () => console.log(`listens on ${server.address().port}`));
}

function tools(isListening) {
  const server = new McpServer({ name: 'counter', version: '1.0.0' }, { capabilities: { logging: {} } });
  let calls = 0;
  server.registerTool(
    'count',
    { inputSchema: { to: z.number() } },
    async ({ to }, { sendNotification, _meta }) => {
      for (let step = 1; step <= to; step++) {
        await sendNotification({
          method: 'notifications/progress',
          params: { progressToken: _meta.progressToken, progress: step, total: to },
        });
      }
      calls++;
      await isListening;
      await server.server.sendLoggingMessage({ level: 'info', data: `call ${calls}` });
      return { content: [{ type: 'text', text: `call ${calls} of this session` }] };
    },
  );
  return server;
}

async function call() {
  const transport = new StreamableHTTPClientTransport(new URL(`${origin}/v1/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${process.env.TOKEN}` } },
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  const logged = [];
  let told;
  const wasTold = new Promise((done) => {
    told = done;
  });
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    logged.push(params.data);
    if (logged.length === 2) told();
  });
  await client.connect(transport);
  const hasSession = transport.sessionId !== undefined;
  const progress = [];
  const onprogress = ({ progress: step }) => progress.push(step);
  const results = [];
  for (const to of [3, 1]) {
    const { content } = await client.callTool({ name: 'count', arguments: { to } }, undefined, {
      onprogress,
    });
    results.push(content[0].text);
  }
  const { tools: known } = await client.listTools();
  await wasTold;
  await transport.terminateSession();
  await client.close();
  console.log(
    JSON.stringify({ hasSession, progress, results, tools: known.map(({ name }) => name), logged }),
  );
}

// The client of OpenAI with our token as its key.
import OpenAI from 'openai';

const [origin] = process.argv.slice(2);
const client = new OpenAI({ apiKey: process.env.TOKEN, baseURL: `${origin}/v1`, organization: 'org-test' });
const ask = (content, more = {}) =>
  client.chat.completions.create({ model: 'test', messages: [{ role: 'user', content }], ...more });

const { choices } = await ask('hello');
let streamed = '';
for await (const chunk of await ask('stream', { stream: true }))
  streamed += chunk.choices[0]?.delta.content ?? '';
const failed = await ask('fail').catch((error) => error.status);
const waited = await ask('wait');
console.log(
  JSON.stringify({
    answer: choices[0].message.content,
    streamed,
    failed,
    waited: waited.choices[0].message.content,
  }),
);

// The client of Anthropic with our token as its key, which it sends as X-Api-Key.
import Anthropic from '@anthropic-ai/sdk';

const [origin] = process.argv.slice(2);
const client = new Anthropic({ apiKey: process.env.TOKEN, baseURL: origin });
const ask = (content, more = {}) =>
  client.messages.create({ model: 'test', max_tokens: 10, messages: [{ role: 'user', content }], ...more });

const { content } = await ask('hello');
const failed = await ask('fail').catch((error) => error.status);
// Overloaded (529), twice: the client waits as told and tries again.
const waited = await ask('wait');
console.log(JSON.stringify({ answer: content[0].text, failed, waited: waited.content[0].text }));

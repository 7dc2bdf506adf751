// One interface for three browser engines: navigate, evaluate, click, type, take a screenshot. Chromium comes from npm. Firefox
// speaks WebDriver BiDi, and WebKit the WebDriver protocol over HTTP; both come from Debian's packages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { openBrowser } from './browser.ts';
import { freePort } from './server.ts';

/** A key that types nothing. */
export type Key = 'Tab' | 'Enter' | 'Escape' | ' ';

export type Engine = {
  /** Name and version, as the browser reports them. */
  version: string;
  go(url: string): Promise<void>;
  /** The value of a JavaScript expression in the page, passed as JSON. A promise is awaited. */
  ask<T>(expression: string): Promise<T>;
  /** A click of the mouse at this point of the window, in CSS pixels. */
  click(x: number, y: number): Promise<void>;
  /** Key presses of a person: text by its characters, or one key. */
  press(key: Key | { text: string }): Promise<void>;
  /**
   * Whether Enter and Space press a button. In headless Firefox ESR 153 a button gets keydown, keypress and keyup, but no click
   * follows, also on a page with one button.
   */
  keysPressButtons: boolean;
  /** The window as PNG. */
  picture(): Promise<Buffer>;
  close(): Promise<void>;
};

const WIDTH = 1280;
const HEIGHT = 800;

/** Chromium, as the other suites drive it. */
export async function openChromium(): Promise<Engine> {
  const browser = await openBrowser();
  const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
  return {
    version: `Chromium ${browser.version()}`,
    keysPressButtons: true,
    go: async (url) => void (await page.goto(url)),
    ask: (expression) => page.evaluate(expression),
    click: (x, y) => page.mouse.click(x, y),
    press: (key) => (typeof key === 'string' ? page.keyboard.press(key) : page.keyboard.type(key.text)),
    picture: () => page.screenshot(),
    close: () => browser.close(),
  };
}

/** WebDriver's code points for keys (W3C WebDriver section 17.4.2). */
const KEYS: Record<Key, string> = { Tab: '\uE004', Enter: '\uE006', Escape: '\uE00C', ' ': ' ' };

type Actions = object[];

function clickAt(x: number, y: number): Actions {
  const actions = [
    { type: 'pointerMove', x: Math.round(x), y: Math.round(y), duration: 0 },
    { type: 'pointerDown', button: 0 },
    { type: 'pointerUp', button: 0 },
  ];
  return [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }];
}

function presses(key: Key | { text: string }): Actions {
  const values = typeof key === 'string' ? [KEYS[key]] : [...key.text];
  const actions = values.flatMap((value) => [
    { type: 'keyDown', value },
    { type: 'keyUp', value },
  ]);
  return [{ type: 'key', id: 'keyboard', actions }];
}

/** Firefox by WebDriver BiDi: one WebSocket, one answer for each command. */
export async function openFirefox(): Promise<Engine> {
  const profile = mkdtempSync(join(tmpdir(), 'firefox-'));
  const port = await freePort();
  const child = await startChild(
    'firefox-esr',
    [
      '--headless',
      '--no-remote',
      '--profile',
      profile,
      `--remote-debugging-port=${port}`,
      `--width=${WIDTH}`,
      `--height=${HEIGHT}`,
      'about:blank',
    ],
    /WebDriver BiDi listening on/,
  );
  const socket = new WebSocket(`ws://127.0.0.1:${port}/session`);
  await new Promise((done, fail) => {
    socket.addEventListener('open', done, { once: true });
    socket.addEventListener('error', () => fail(new Error('Firefox takes no connection')), { once: true });
  });
  const waiting = new Map<number, { done: (result: never) => void; fail: (error: Error) => void }>();
  socket.addEventListener('message', ({ data }) => {
    const { id, type, result, error, message } = JSON.parse(String(data));
    const asker = waiting.get(id);
    waiting.delete(id);
    if (type === 'success') asker?.done(result as never);
    else asker?.fail(new Error(`${error}: ${message}`));
  });
  let last = 0;
  function send<T>(method: string, params: object): Promise<T> {
    return new Promise((done, fail) => {
      waiting.set(++last, { done, fail });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  }
  const { capabilities } = await send<{ capabilities: { browserVersion: string } }>('session.new', {
    capabilities: {},
  });
  const { contexts } = await send<{ contexts: { context: string }[] }>('browsingContext.getTree', {});
  const context = contexts[0]?.context ?? '';
  await send('browsingContext.setViewport', { context, viewport: { width: WIDTH, height: HEIGHT } });
  const perform = (actions: Actions) => send<void>('input.performActions', { context, actions });
  return {
    version: `Firefox ${capabilities.browserVersion}`,
    keysPressButtons: false,
    go: (url) => send('browsingContext.navigate', { context, url, wait: 'complete' }),
    ask: async (expression) => {
      const { result, exceptionDetails } = await send<{
        result?: { value?: string };
        exceptionDetails?: { text: string };
      }>('script.evaluate', {
        target: { context },
        awaitPromise: true,
        expression: `(async () => JSON.stringify({ value: await (${expression}) }))()`,
      });
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
      return JSON.parse(result?.value ?? '{}').value;
    },
    click: (x, y) => perform(clickAt(x, y)),
    press: (key) => perform(presses(key)),
    picture: async () => {
      const { data } = await send<{ data: string }>('browsingContext.captureScreenshot', { context });
      return Buffer.from(data, 'base64');
    },
    close: async () => {
      socket.close();
      await child.stop();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The path of Debian's small browser that the driver starts; the folder name depends on the architecture. */
export const MINI_BROWSER = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;

/** WebKitGTK by WebDriver over HTTP, on a screen of its own (xvfb): it has no headless mode. */
export async function openWebKit(): Promise<Engine> {
  const port = await freePort();
  const display = await startChild(
    'sh',
    ['-c', 'exec Xvfb -displayfd 1 -screen 0 1600x1200x24 -nolisten tcp'],
    /^\d+\n/,
  );
  const number = /^\d+/.exec(display.output())?.[0];
  const driver = await startDriver(port, {
    DISPLAY: `:${number}`,
    // No desktop sandbox: a container may not create one.
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    NO_AT_BRIDGE: '1',
    GTK_USE_PORTAL: '0',
  });
  const root = `http://127.0.0.1:${port}`;
  async function send<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(root + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { value } = (await answer.json()) as { value: T & { error?: string; message?: string } };
    if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }
  const { sessionId, capabilities } = await send<{
    sessionId: string;
    capabilities: { browserName: string; browserVersion: string };
  }>('POST', '/session', {
    capabilities: {
      alwaysMatch: { 'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] } },
    },
  });
  const session = `/session/${sessionId}`;
  await send('POST', `${session}/window/rect`, { width: WIDTH, height: HEIGHT });
  const perform = (actions: Actions) => send<void>('POST', `${session}/actions`, { actions });
  return {
    version: `WebKitGTK ${capabilities.browserVersion}`,
    keysPressButtons: true,
    go: (url) => send('POST', `${session}/url`, { url }),
    ask: async (expression) => {
      const script = `const done = arguments[0];
(async () => JSON.stringify({ value: await (${expression}) }))().then(done, (error) => done('!' + error));`;
      const text = await send<string>('POST', `${session}/execute/async`, { script, args: [] });
      if (text.startsWith('!')) throw new Error(text);
      return JSON.parse(text).value;
    },
    click: (x, y) => perform(clickAt(x, y)),
    press: (key) => perform(presses(key)),
    picture: async () => Buffer.from(await send<string>('GET', `${session}/screenshot`), 'base64'),
    close: async () => {
      await send('DELETE', session).catch(() => {});
      await driver.stop();
      await display.stop();
    },
  };

  /** The driver prints nothing, so it is ready when it answers. */
  async function startDriver(at: number, env: Record<string, string>) {
    const started = await startChild(
      'sh',
      ['-c', `echo starting; exec WebKitWebDriver --port=${at}`],
      /starting/,
      { env },
    );
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${at}/status`).catch(() => null);
      if (answer?.ok === true) return started;
      await new Promise((done) => {
        setTimeout(done, 50);
      });
    }
  }
}

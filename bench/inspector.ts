// One isolate through the inspector of workerd: the size of its heap, and its time by function.

export type HeapUsage = { usedSize: number };
export type Profile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
};

export type Inspector = {
  heapMegabytes(): Promise<number>;
  startProfile(): Promise<void>;
  stopProfile(): Promise<Profile>;
  close(): void;
};

/** `base` is miniflare's inspector address; `worker` the Worker's name. */
export async function openInspector(base: URL, worker: string): Promise<Inspector> {
  const socket = new WebSocket(`${base.href}core:user:${worker}`);
  const waiting = new Map<number, (result: unknown) => void>();
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector for ${worker}`)), { once: true });
  });
  socket.addEventListener('message', ({ data }) => {
    // A Chrome DevTools Protocol answer, or an event without an id.
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let last = 0;
  const call = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  return {
    // The protocol's own shapes.
    heapMegabytes: async () => ((await call('Runtime.getHeapUsage')) as HeapUsage).usedSize / 1024 / 1024,
    async startProfile() {
      await call('Profiler.enable');
      await call('Profiler.setSamplingInterval', { interval: 100 });
      await call('Profiler.start');
    },
    stopProfile: async () => ((await call('Profiler.stop')) as { profile: Profile }).profile,
    close: () => socket.close(),
  };
}

/** Share of the samples by function, idle time left out, largest first. */
export function selfTimes(profile: Profile): { name: string; share: number }[] {
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'} ${url.split('/').at(-1) ?? ''}:${lineNumber + 1}`,
    ]),
  );
  const times = new Map<string, number>();
  let all = 0;
  for (const [index, sample] of profile.samples.entries()) {
    const name = names.get(sample) ?? '(unknown)';
    if (name.startsWith('(idle)')) continue;
    const time = profile.timeDeltas[index] ?? 0;
    all += time;
    times.set(name, (times.get(name) ?? 0) + time);
  }
  return [...times]
    .map(([name, time]) => ({ name, share: time / all }))
    .toSorted((a, b) => b.share - a.share);
}

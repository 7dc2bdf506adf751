// Made-up data for screenshots and for states that a healthy server never shows. Only answers are made up: the page,
// its scripts, its headers and the browser are real.
import type { Page, Route } from 'playwright-core';

const HOUR_MS = 3_600_000;
const ago = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString();

export type Row = {
  id: string;
  preview: string;
  name: string | null;
  active: boolean;
  createdBy: string;
  createdAt: string;
  lastUsedAt: string | null;
  retiring: {
    preview: string;
    retiresAt: string;
    lastUsedAt: string | null;
    until: 'time' | 'silent';
  } | null;
  retired: { preview: string; retiredAt: string; lastUsedAt: string | null }[];
  exposed: { at: string; by: 'report' | 'github' | 'url'; where: string | null; paused: boolean } | null;
  expiresAt: string | null;
  access: 'read' | 'full';
  paths: string[];
  networks: string[];
  origins: string[];
  pausedTogether: { at: string; by: string } | null;
};

function row(preview: string, name: string | null, by: string, created: number, used: number | null): Row {
  return {
    id: `id-${preview}`,
    preview,
    name,
    active: true,
    createdBy: `${by}@example.com`,
    createdAt: ago(created),
    lastUsedAt: used === null ? null : ago(used),
    retiring: null,
    retired: [],
    exposed: null,
    expiresAt: null,
    access: 'full',
    paths: [],
    networks: [],
    origins: [],
    pausedTogether: null,
  };
}

// In two parts, so that secret scanners find no match in this file.
export const SECRET = `9pW4k_dz1_${'q7Vw2LrXbN0cKdT5yHsZmEa8GfUjPiR3oQ6tBvYxC9nDlF1'}`;
export const ROWS: Row[] = [
  row('9pW4k', 'Website', 'owner', 30, 0.02),
  row('9p7Qa', 'Partner app', 'member', 290, 3.2),
  { ...row('9pLm2', 'Results importer', 'sam.okafor', 540, 130), active: false },
  row('9pz8R', null, 'owner', 800, null),
];
/** What a token may be limited to. */
export const LIMITS: Pick<Row, 'expiresAt' | 'access' | 'paths' | 'networks' | 'origins'> = {
  expiresAt: ago(-24 * 105),
  access: 'read',
  paths: ['/v1/events', '/v1/faces'],
  networks: ['203.0.113.0/24', '2001:db8::/32'],
  origins: ['https://shop.example'],
};
/** The old value of a token, while its value is being replaced. */
export const RETIRING: NonNullable<Row['retiring']> = {
  preview: '9pXb4',
  retiresAt: ago(-156),
  lastUsedAt: ago(0.07),
  until: 'silent',
};
/** A token that somebody found in public. It was paused, as is the default. */
export const EXPOSED: NonNullable<Row['exposed']> = {
  at: ago(0.3),
  by: 'report',
  where: 'https://pastebin.example/raw/9a7Lk2?from=search&line=41',
  paused: true,
};
export const TEN: Row[] = Array.from({ length: 10 }, (_, index) =>
  row(
    `9pT${index}x`,
    `Integration ${index + 1}`,
    index % 3 === 0 ? 'member' : 'owner',
    index * 50 + 1,
    index,
  ),
);

/** Calls of a day: many by day, few by night. */
const wave = (size: number, shift: number): number[] =>
  Array.from({ length: 24 }, (_, hour) =>
    Math.max(0, Math.round(size * (0.55 + 0.45 * Math.sin((hour + shift) / 3.8)) + ((hour * 7) % 5))),
  );
const none = Array.from({ length: 24 }, () => 0);
export const USAGE = {
  until: ago(0),
  refusedAddresses: [] as { tokenId: string; address: string; at: string }[],
  usage: {
    'id-9pW4k': { accepted: wave(420, 2), refused: none.map((_, hour) => (hour === 17 ? 90 : 0)) },
    'id-9p7Qa': { accepted: wave(60, 9), refused: none },
    'id-9pLm2': { accepted: none, refused: none.map((_, hour) => (hour % 6 === 1 ? 3 : 0)) },
  },
};

const sum = (list: number[]): number => list.reduce((total, value) => total + value, 0);
const website = USAGE.usage['id-9pW4k'];
type Called = { number: number; name: string; country: string; agent: string };
const HETZNER: Called = {
  number: 24940,
  name: 'Hetzner Online GmbH',
  country: 'DE',
  agent: 'python-requests',
};
const AMAZON: Called = { number: 16509, name: 'Amazon.com, Inc.', country: 'IE', agent: 'node' };
/** A caller of the last `hours`. */
const caller = (of: Called | null, accepted: number, refused: number, hours: number, agent = of?.agent) => ({
  network: of === null ? null : { number: of.number, name: of.name },
  country: of?.country ?? null,
  agent: agent ?? 'unknown',
  accepted,
  refused,
  lastAt: ago(hours),
});

/** The calls of the first token. As of now, because dialogs say how long ago the last one was. */
export const calls = () => ({
  // The end of the hour in which the wave ends.
  until: new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS).toISOString(),
  hours: website,
  days: {
    accepted: Array.from({ length: 30 }, (_, day) =>
      day === 29 ? 3098 : Math.round(5200 + 1400 * Math.sin(day / 2.3) - (day % 7 === 5 ? 2600 : 0)),
    ),
    refused: Array.from({ length: 30 }, (_, day) => ({ 22: 214, 28: 30, 29: 90 })[day] ?? 0),
  },
  reasons: [
    { reason: 'network', calls: 74, lastHour: ago(6) },
    { reason: 'access', calls: 15, lastHour: ago(7) },
    { reason: 'retired', calls: 1, lastHour: ago(9) },
  ],
  callers: [
    caller(HETZNER, 118_204, 0, 0.003),
    caller(AMAZON, 21_377, 12, 0.07),
    caller(AMAZON, 4102, 0, 30, 'curl'),
    caller({ number: 14061, name: 'DigitalOcean, LLC', country: 'SG', agent: 'curl' }, 8, 0, 2),
    caller(null, 3, 0, 90),
    caller({ number: 3320, name: 'Deutsche Telekom AG', country: 'DE', agent: 'browser' }, 2, 0, 210),
    caller({ number: 64500, name: 'Example Hosting', country: 'FR', agent: 'okhttp' }, 1, 74, 6),
  ],
  others: null as { accepted: number; refused: number; lastAt: string } | null,
  recent: [
    caller(HETZNER, sum(website.accepted) - 318, 0, 0.003),
    caller(AMAZON, 310, 12, 0.07),
    caller({ number: 14061, name: 'DigitalOcean, LLC', country: 'SG', agent: 'curl' }, 8, 0, 2),
    caller({ number: 64500, name: 'Example Hosting', country: 'FR', agent: 'okhttp' }, 0, 74, 6),
  ],
  values: [
    {
      preview: '9pW4k',
      accepted: none.concat([0, 0, 0, 0, 4021, 2790]),
      refused: none.concat(0, 0, 0, 0, 0, 0),
    },
    {
      preview: RETIRING.preview,
      accepted: none.concat([5100, 5020, 4400, 4800, 900, 308]),
      refused: none.concat(0, 0, 0, 0, 0, 1),
    },
  ],
});
/** The same without a call. */
export const noCalls = () => {
  const month = none.concat(0, 0, 0, 0, 0, 0);
  return {
    ...calls(),
    hours: { accepted: none, refused: none },
    days: { accepted: month, refused: month },
    reasons: [],
    callers: [],
    recent: [],
    values: [{ preview: '9pW4k', accepted: month, refused: month }],
  };
};

/**
 * From where calls were refused: with the first token from five addresses. As of now, because the page says how long ago it was,
 * and this file may be loaded minutes before.
 */
export const refusedCalls = () => ({
  ...USAGE,
  refusedAddresses: [
    ['id-9pW4k', '198.51.100.7/32', 0.05],
    ['id-9pW4k', '203.0.113.9/32', 0.1],
    ['id-9p7Qa', '192.0.2.1/32', 1],
    ['id-9pW4k', '2001:db9::7/128', 2],
    ['id-9pW4k', '198.51.100.8/32', 3],
    ['id-9pW4k', '198.51.100.9/32', 4],
  ].map(([tokenId, address, hours]) => ({
    tokenId: String(tokenId),
    address: String(address),
    at: ago(Number(hours)),
  })),
});

export const EVENTS = {
  events: (
    [
      ['token.deactivated', 'owner@example.com', '9pLm2', null, 0.2],
      ['token.created', 'owner@example.com', '9pW4k', 'Website', 30],
      ['token.renamed', 'member@example.com', '9p7Qa', 'Partner app', 52],
      ['member.added', 'platform', null, 'sam.okafor@example.com', 75],
      ['token.deleted', 'a-very-long-address.of.somebody@department.example.com', '9pK0d', null, 200],
      ['token.limit-refused', 'member@example.com', null, null, 420],
      ['plan.changed', 'platform', null, 'pro → enterprise', 900],
    ] as const
  ).map(([action, actor, preview, detail, hours], index) => ({
    id: String(index),
    at: ago(hours),
    actor,
    action,
    tokenId: preview === null ? null : `id-${preview}`,
    preview,
    detail,
  })),
  next: '7',
};

/** Who calls with a token that was deleted, and with values that were replaced. */
export const STILL = {
  stillCalling: [
    {
      kind: 'deleted',
      tokenId: 'id-9pAbc',
      preview: '9pAbc',
      name: 'Website of the marketing department, spring campaign',
      endedAt: ago(72),
      endedBy: 'priya.ramachandran-venkataraman@acme.example.com',
      today: 12,
      yesterday: 214,
      lastAt: ago(0.05),
      callers: [
        {
          network: { number: 24940, name: 'Hetzner Online GmbH' },
          country: 'DE',
          agent: 'python-requests',
          accepted: 0,
          refused: 200,
          lastAt: ago(0.05),
        },
        { network: null, country: null, agent: 'unknown', accepted: 0, refused: 26, lastAt: ago(3) },
      ],
    },
    {
      kind: 'retired',
      tokenId: 'id-9pW4k',
      preview: '9pQq1',
      name: 'Website',
      endedAt: ago(30),
      endedBy: 'owner@example.com',
      today: 1,
      yesterday: 0,
      lastAt: ago(2),
      callers: [
        {
          network: { number: 16509, name: 'Amazon.com, Inc.' },
          country: 'IE',
          agent: 'via gateway',
          accepted: 0,
          refused: 1,
          lastAt: ago(2),
        },
      ],
    },
    {
      kind: 'deleted',
      tokenId: 'id-9pK0d',
      preview: '9pK0d',
      name: null,
      endedAt: ago(200),
      endedBy: null,
      today: 0,
      yesterday: 0,
      lastAt: ago(100),
      callers: [],
    },
    ...['9pB1a', '9pB2a', '9pB3a'].map((preview) => ({
      kind: 'deleted',
      tokenId: `id-${preview}`,
      preview,
      name: `Integration ${preview[3]}`,
      endedAt: ago(900),
      endedBy: 'owner@example.com',
      today: 0,
      yesterday: 3,
      lastAt: ago(30),
      callers: [],
    })),
  ],
};

export const SESSIONS = {
  sessions: [
    [
      'Chrome on Linux',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36',
      true,
      2,
      0,
    ],
    [
      'Safari on an iPhone',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Version/19.1 Safari/604.1',
      false,
      50,
      5,
    ],
    [
      'Firefox on Windows',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0',
      false,
      700,
      90,
    ],
  ].map(([browser, userAgent, current, created, seen], index) => ({
    id: String(index),
    method: 'link',
    browser,
    userAgent,
    current,
    createdAt: ago(Number(created)),
    seenAt: ago(Number(seen)),
  })),
};

type Boot = Record<string, unknown>;

/** Rewrites the boot data of every page that is opened; the rest of the document stays as the Worker sent it. */
export async function withBoot(target: Page, change: Boot | null): Promise<void> {
  await target.route(
    (url) => /^\/(?:sign-in|developer-zone(?:\/tokens\/[\w-]+)?|activity|sessions)$/.test(url.pathname),
    async (route) => {
      const page = await route.fetch();
      const body = (await page.text()).replace(/(id="boot">)(.*?)(<\/script>)/s, (_, head, json, tail) => {
        const boot = { ...JSON.parse(json), ...change };
        return head + JSON.stringify(boot).replaceAll('<', '\\u003c') + tail;
      });
      await route.fulfill({ response: page, body });
    },
  );
}

/** Answers a call of the page. Of several rules for a path, the newest applies. */
export async function answer(page: Page, path: string, how: (route: Route) => unknown): Promise<void> {
  await page.route(`**/api/${path}`, async (route) => {
    await how(route);
  });
}

export const json =
  (body: unknown, status = 200) =>
  (route: Route): Promise<void> =>
    route.fulfill({ status, json: body });

/** A problem as the Worker words it (RFC 9457). */
export const problem =
  (status: number, slug: string, headers: Record<string, string> = {}, detail?: string) =>
  (route: Route): Promise<void> =>
    route.fulfill({
      status,
      headers: { 'content-type': 'application/problem+json', ...headers },
      body: JSON.stringify({
        type: `/docs/errors#${slug}`,
        title: slug,
        status,
        detail,
        requestId: '01JDG7Q9M3XW5K2R8T4V6Y0ZAB',
      }),
    });
export const broken = problem(500, 'unexpected');
/** No answer at all: the connection is cut. */
export const cut = (route: Route): Promise<void> => route.abort('connectionreset');
/** An answer that is delayed until a promise is settled. */
export const after =
  (until: Promise<unknown>, how: (route: Route) => unknown) =>
  async (route: Route): Promise<void> => {
    await until;
    await how(route);
  };
/** An answer to a request that the page may have cancelled. */
export const dropped =
  (how: (route: Route) => Promise<void>) =>
  (route: Route): Promise<void> =>
    how(route).catch(() => {});
/** An answer that never comes. */
export const silence = (): Promise<void> => Promise.resolve();

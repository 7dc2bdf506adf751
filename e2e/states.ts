// Every state of the dashboard, and how to reach it: for the checks of states.test.ts and the screenshots
// of scripts/screenshots.ts. After its `reach`, a state does not change any more.
import type { Page } from 'playwright-core';
import {
  EVENTS,
  EXPOSED,
  LIMITS,
  refusedCalls,
  RETIRING,
  ROWS,
  SECRET,
  SESSIONS,
  STILL,
  TEN,
  USAGE,
  answer,
  broken,
  calls,
  cut,
  json,
  noCalls,
  problem,
  silence,
  withBoot,
} from './fixtures.ts';

export type State = {
  name: string;
  path: string;
  /** Whether no member is signed in. */
  anonymous?: true;
  /** Changes to the first data of the page. */
  boot?: Record<string, unknown>;
  /** Sets the answers of the server before the page is opened. */
  given?: (page: Page) => Promise<unknown>;
  /** The actions of a person; ends when the state is on the screen. */
  reach?: (page: Page) => Promise<unknown>;
  /** The widths at which the state exists; by default all. */
  widths?: readonly number[];
};

type How = Parameters<typeof answer>[2];

const acme = '/developer-zone?organisation=acme';
const ofToken = `/developer-zone/tokens/${ROWS[0]?.id}?organisation=acme`;
const tokens = 'organisations/acme/tokens';
const listed = (rows: unknown[]) => ({ tokens: { organisation: 'acme', tokens: rows } });
const table = listed(ROWS);
const receipt = (row: object) => json({ token: row, effectiveAt: new Date().toISOString() });
const first = (page: Page) => page.getByRole('switch').first();
const see = (text: string | RegExp) => (page: Page) => page.getByText(text).first().waitFor();
const openCreate = (page: Page) => page.getByRole('button', { name: 'Create Token', exact: true }).click();
const openDelete = (page: Page) =>
  page
    .getByRole('button', { name: /^Delete token/ })
    .first()
    .click();

async function confirmCreate(page: Page): Promise<void> {
  await openCreate(page);
  await page.getByLabel('What will use it?').fill('Website');
  await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).click();
}
async function unfold(page: Page): Promise<void> {
  await openCreate(page);
  await page.getByText('More limits').click();
  await page.getByLabel('Networks').waitFor();
}
async function chooseLimits(page: Page): Promise<void> {
  await unfold(page);
  await page.getByLabel('What will use it?').fill('Website');
  await page.getByLabel('Expires').selectOption('date');
  await page.getByLabel('Date').fill('2099-03-14');
  await page.getByLabel('Only these paths').fill('/v1/events\n/v1/faces');
  await page.getByLabel('Networks').fill('203.0.113.7/24\n2001:db8::/32');
  await page.getByLabel('Websites').fill('https://shop.example');
}
const changeLimit = (name: string) => (page: Page) => page.getByRole('button', { name }).click();
async function changeNetworks(page: Page): Promise<void> {
  await changeLimit('Edit networks')(page);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Networks').fill('203.0.113.7/24');
  await dialog.getByRole('button', { name: 'Save' }).click();
}
async function confirmDelete(page: Page): Promise<void> {
  await openDelete(page);
  await page
    .getByRole('alertdialog')
    .getByRole('button', { name: /^Delete/ })
    .click();
}
async function openRotate(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Rotate…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true }).waitFor();
}
async function confirmRotate(page: Page): Promise<void> {
  await openRotate(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true }).click();
}
async function openEnd(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'End old value now' }).click();
  await page.getByText(/immediately lose access/).waitFor();
}
const created = (secret: string | null) => json({ token: ROWS[0], secret }, 201);
const shown = (page: Page) => answer(page, tokens, created(SECRET));
async function showSecret(page: Page): Promise<void> {
  await confirmCreate(page);
  await page.getByLabel('API token', { exact: true }).waitFor();
}
async function askForLink(page: Page): Promise<void> {
  await page.getByLabel('Email').fill('owner@example.com');
  await page.getByRole('button', { name: 'Send sign-in link' }).click();
}
const patched = (how: How) => (page: Page) => answer(page, `${tokens}/*`, how);
/** Answers the first request for a list by `how`. The organisation is chosen on the page, so the page must ask. */
const loaded = (how: How) => (page: Page) => answer(page, tokens, how);
async function openMenuOnPhone(page: Page): Promise<void> {
  if ((page.viewportSize()?.width ?? 0) <= 760) await page.getByRole('button', { name: 'Menu' }).click();
}
async function chooseAndSee(page: Page, text: string | RegExp): Promise<void> {
  await openMenuOnPhone(page);
  await page.getByLabel('Organisation').selectOption('acme', { force: true });
  await see(text)(page);
}

/** States that `act` leads to from `where`, when the server answers it by `how`. */
const following =
  (where: Pick<State, 'path' | 'boot' | 'anonymous'>, act: (page: Page) => Promise<unknown>, path: string) =>
  (name: string, how: How, text: string | RegExp): State => ({
    name,
    ...where,
    given: (page) => answer(page, path, how),
    reach: async (page) => {
      await act(page);
      await see(text)(page);
    },
  });
/** The first token while its value is being replaced, and after the old one has ended. */
const twoValues = { ...ROWS[0], retiring: RETIRING };
const { preview, lastUsedAt } = RETIRING;
const ended = { ...ROWS[0], retired: [{ preview, retiredAt: new Date().toISOString(), lastUsedAt }] };
/** The first token with every limit; after its end; and those that end soon. */
const limited = { ...ROWS[0], ...LIMITS };
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
const ago = (hours: number) => inHours(-hours);
const expired = { ...ROWS[0], expiresAt: inHours(-70) };
const ending = [
  expired,
  { ...ROWS[1], expiresAt: inHours(5.5) },
  { ...ROWS[2], expiresAt: inHours(-70) },
  { ...ROWS[3], expiresAt: inHours(24 * 6) },
];
const exposed = { ...ROWS[0], active: false, exposed: EXPOSED };
/** A name as long as a name may be, without a place to break it. */
const LONG = 'W'.repeat(50);
/** It was inactive before it was sent in a URL. */
const inUrl = {
  ...ROWS[2],
  exposed: { ...EXPOSED, by: 'url', where: null, at: ago(50), paused: false },
};
const together = ROWS.map((row, index) => ({
  ...row,
  active: false,
  pausedTogether: index === 2 ? null : { at: ago(0.1), by: 'owner@example.com' },
}));
const placePaused = {
  session: {
    member: { email: 'owner@example.com' },
    organisations: [{ id: 'acme', name: 'Acme Events', plan: 'enterprise', pausedAt: ago(0.4) }],
  },
};
async function openPause(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('button', { name: 'Pause all tokens…' }).click();
  await page.getByRole('alertdialog').waitFor();
}
async function confirmPause(page: Page): Promise<void> {
  await openPause(page);
  await page.getByRole('button', { name: 'Pause 3 tokens' }).click();
}
async function openResume(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Resume anyway…' }).click();
  await page.getByRole('alertdialog').waitFor();
}
const invalidNetwork = problem(
  422,
  'invalid-body',
  {},
  'Field "networks": 203.0.113.7/24 has bits beyond its length: write 203.0.113.0/24',
);
const atLimited = { path: ofToken, boot: listed([limited, ...ROWS.slice(1)]) };
const afterLimit = following(atLimited, changeNetworks, `${tokens}/*`);
const dialogOfLimit = (
  name: string,
  button: string,
  text: string | RegExp,
  row: object = limited,
): State => ({
  name,
  path: ofToken,
  boot: listed([row, ...ROWS.slice(1)]),
  reach: async (page) => {
    await changeLimit(button)(page);
    await see(text)(page);
  },
});
const invalidName = problem(422, 'invalid-body', {}, 'Field "name": has a control character');
const atTable = { path: acme, boot: table };
const afterSwitch = following(atTable, (page) => first(page).click(), `${tokens}/*`);
const afterPause = following(atTable, confirmPause, `${tokens}/pause`);
const atExposed = { path: ofToken, boot: listed([exposed, ...ROWS.slice(1)]) };
const afterResume = following(
  atExposed,
  async (page) => {
    await openResume(page);
    await page.getByRole('alertdialog').getByRole('button', { name: 'Resume anyway' }).click();
  },
  `${tokens}/*`,
);
const afterResumeAll = following(
  { path: acme, boot: listed(together) },
  (page) => page.getByRole('button', { name: 'Resume them' }).click(),
  `${tokens}/resume`,
);
const afterDelete = following(atTable, confirmDelete, `${tokens}/*`);
/** The list has these tokens when it is loaded again. */
const stillThere = (rows: unknown[], state: State): State => ({
  ...state,
  given: async (page) => {
    await answer(page, tokens, json({ tokens: rows, limit: 10 }));
    await state.given?.(page);
  },
});
/** The list no longer has the first token, because a 404 alone does not prove a deletion. */
const withoutFirst = (state: State): State => stillThere(ROWS.slice(1), state);
const afterCreate = following(atTable, confirmCreate, tokens);
const afterRotate = following({ path: ofToken, boot: table }, confirmRotate, `${tokens}/*/rotate`);
const afterAsking = following({ path: '/sign-in', anonymous: true }, askForLink, 'sign-in/link');

const withCalls = (name: string, how: How, text: string): State => ({
  name,
  path: ofToken,
  boot: table,
  given: (page) => answer(page, `${tokens}/*/calls`, how),
  reach: see(text),
});
const inPeriod = (name: string, period: string): State => ({
  name,
  path: ofToken,
  // Older than its callers, so that a new one is marked.
  boot: listed([{ ...ROWS[0], createdAt: inHours(-24 * 40) }, ...ROWS.slice(1)]),
  reach: async (page) => {
    await see('Hetzner Online GmbH')(page);
    await page.getByText(period === '7 days' ? '7 d' : '30 d', { exact: true }).click();
    await page.locator('.chart').getByText('Today', { exact: true }).and(page.locator('span')).waitFor();
  },
});
const OTHERS = { accepted: 18, refused: 2, lastAt: inHours(-30) };
/** The dialog of a deletion, when the calls are answered by `how`. */
const beforeDelete = (name: string, how: How, text: string | RegExp, isListed = true): State => ({
  name,
  path: acme,
  boot: table,
  given: async (page) => {
    await answer(page, `${tokens}/*/calls`, how);
    if (!isListed) await answer(page, 'organisations/acme/usage', broken);
  },
  reach: async (page) => {
    await openDelete(page);
    await page.getByRole('alertdialog').getByText(text).waitFor();
  },
});

/** The script of the dialogs is answered by `how`. */
const withoutDialogs = (name: string, how: How, text: string): State => ({
  name,
  path: acme,
  boot: table,
  given: (page) => page.route('**/assets/token-*', how),
  reach: async (page) => {
    await openCreate(page);
    await page.getByRole('heading', { name: text }).waitFor();
  },
});

export const STATES: State[] = [
  { name: 'sign-in', path: acme, anonymous: true, reach: see('Send sign-in link') },
  {
    name: 'sign-in-bad-address',
    path: '/sign-in',
    anonymous: true,
    reach: async (page) => {
      await page.getByLabel('Email').fill('nobody');
      await page.getByRole('button', { name: 'Send sign-in link' }).click();
      await see(/Enter an email address/)(page);
    },
  },
  afterAsking('sign-in-sending', silence, 'Sending…'),
  afterAsking('sign-in-local-link', json({ link: '/sign-in#code=made-up' }, 202), 'Open the sign-in link'),
  afterAsking('sign-in-sent', json({}, 202), 'Check your inbox'),
  afterAsking('sign-in-limited', problem(429, 'too-many-requests', { 'retry-after': '42' }), /42 s/),
  {
    name: 'sign-in-single-sign-on',
    path: '/sign-in',
    anonymous: true,
    boot: { methods: { link: true, oidc: { name: 'Example Identity' } } },
    reach: see('Continue with Example Identity'),
  },
  {
    name: 'sign-in-provider-failed',
    path: '/sign-in?error=provider-unavailable',
    anonymous: true,
    boot: { methods: { link: false, oidc: { name: 'Example Identity' } } },
    reach: see(/cannot be reached/),
  },
  {
    name: 'sign-in-closed',
    path: '/sign-in',
    anonymous: true,
    boot: { methods: { link: false, oidc: null } },
    reach: see(/no way to sign in yet/),
  },
  {
    name: 'redeeming',
    path: '/sign-in#code=made-up',
    anonymous: true,
    given: (page) => answer(page, 'sign-in/redeem', silence),
    reach: see('Signing you in…'),
  },
  {
    name: 'redeem-refused',
    path: '/sign-in#code=made-up',
    anonymous: true,
    given: (page) => answer(page, 'sign-in/redeem', problem(400, 'sign-in-link-invalid')),
    reach: see(/This link was used already/),
  },
  {
    name: 'secret-first-call',
    path: acme,
    boot: table,
    given: shown,
    reach: async (page) => {
      await showSecret(page);
      await page.getByText('First call').click();
      await page.getByRole('tab', { name: 'cURL' }).waitFor();
    },
  },
  { name: 'no-organisation', path: '/developer-zone', reach: see(/Choose an organisation/) },
  { name: 'unknown-organisation', path: '/developer-zone?organisation=nowhere', reach: see(/not a member/) },
  {
    name: 'no-membership',
    path: '/developer-zone',
    boot: { session: { member: { email: 'nobody@example.com' }, organisations: [] } },
    reach: see(/do not belong to any organisation/),
  },
  {
    name: 'plan-required',
    path: '/developer-zone?organisation=globex',
    reach: async (page) => {
      const item = page.getByRole('link', { name: /Developer Zone/ });
      if (await item.isVisible()) await item.focus();
      await page.getByRole('heading', { name: 'Enterprise Plan Required' }).waitFor();
    },
  },
  {
    name: 'loading',
    path: '/developer-zone',
    given: loaded(silence),
    reach: async (page) => {
      await chooseAndSee(page, 'Admin API Tokens');
      await page.locator('.skeleton:not(.waiting)').waitFor();
    },
  },
  {
    name: 'load-failed',
    path: '/developer-zone',
    given: loaded(broken),
    reach: (page) => chooseAndSee(page, 'Couldn’t load tokens'),
  },
  {
    name: 'load-cut',
    path: '/developer-zone',
    given: loaded(cut),
    reach: (page) => chooseAndSee(page, 'Couldn’t load tokens'),
  },
  {
    name: 'load-limited',
    path: '/developer-zone',
    given: loaded(problem(429, 'too-many-requests', { 'retry-after': '42' })),
    reach: (page) => chooseAndSee(page, /42 s/),
  },
  { name: 'empty', path: acme, boot: listed([]), reach: see('No API tokens yet') },
  { name: 'one', path: acme, boot: listed(ROWS.slice(0, 1)), reach: see('Website') },
  { name: 'table', path: acme, boot: table, reach: see('Partner app') },
  { name: 'limit', path: acme, boot: listed(TEN), reach: see(/reached the limit of 10 tokens/) },
  {
    name: 'stale',
    path: acme,
    boot: table,
    given: loaded(broken),
    reach: async (page) => {
      await page.evaluate(() => dispatchEvent(new Event('online')));
      await see(/could not be loaded again/)(page);
    },
  },
  {
    name: 'offline',
    path: acme,
    boot: table,
    reach: async (page) => {
      // A later answer would end the offline state.
      await page.locator('[aria-label$=" refused calls"]').first().waitFor({ state: 'attached' });
      await page.evaluate(() => dispatchEvent(new Event('offline')));
      await see(/Your browser says that it is offline/)(page);
    },
  },
  afterSwitch('toggle-pending', silence, 'Deactivating…'),
  afterSwitch('toggle-slow', silence, /A region is slow/),
  afterSwitch('toggle-done', receipt({ ...ROWS[0], active: false }), /Refused since/),
  afterSwitch('toggle-failed', broken, /It is still active/),
  {
    name: 'toggle-unsure',
    ...atTable,
    given: (page) => answer(page, 'organisations/acme/tokens{,/*}', cut),
    reach: async (page) => {
      await first(page).click();
      await see(/Couldn’t confirm the change/)(page);
    },
  },
  withoutFirst(afterSwitch('toggle-gone', problem(404, 'token-not-found'), /was deleted meanwhile/)),
  {
    name: 'toggle-undone',
    path: acme,
    boot: table,
    given: (page) =>
      answer(page, `${tokens}/*`, (route) => {
        const { active } = route.request().postDataJSON() as { active: boolean };
        return receipt({ ...ROWS[0], active })(route);
      }),
    reach: async (page) => {
      await first(page).click();
      await page.getByRole('button', { name: 'Undo' }).click();
      await see(/Accepted since/)(page);
    },
  },
  afterSwitch('toggle-limited', problem(429, 'too-many-requests', { 'retry-after': '42' }), /42 s/),
  {
    name: 'rename',
    path: ofToken,
    boot: table,
    reach: async (page) => {
      await page.getByRole('button', { name: /^Rename token/ }).click();
      await page.getByLabel(/^Name of token/).waitFor();
    },
  },
  {
    name: 'rename-refused',
    path: ofToken,
    boot: table,
    given: patched(invalidName),
    reach: async (page) => {
      await page.getByRole('button', { name: /^Rename token/ }).click();
      await page.getByLabel(/^Name of token/).fill('Website two');
      await page.keyboard.press('Enter');
      await see(/Not renamed\./)(page);
    },
  },
  { name: 'token', path: ofToken, boot: table, reach: see('created') },
  inPeriod('token-week', '7 days'),
  inPeriod('token-month', '30 days'),
  withCalls('token-calls-loading', silence, 'Loading…'),
  withCalls('token-calls-failed', broken, 'The calls are unknown'),
  withCalls('token-calls-none', json(noCalls()), 'No calls in 30 days'),
  {
    name: 'token-callers',
    path: ofToken,
    boot: table,
    given: (page) => answer(page, `${tokens}/*/calls`, json({ ...calls(), others: OTHERS })),
    reach: async (page) => {
      await page.getByRole('button', { name: 'Show 2 more' }).click();
      await see('Others')(page);
    },
  },
  {
    name: 'token-switched-off',
    path: ofToken,
    boot: table,
    given: patched(receipt({ ...ROWS[0], active: false })),
    reach: async (page) => {
      await first(page).click();
      await see(/Refused since/)(page);
    },
  },
  {
    name: 'token-switch-failed',
    path: ofToken,
    boot: table,
    given: patched(broken),
    reach: async (page) => {
      await first(page).click();
      await see(/It is still active/)(page);
    },
  },
  {
    name: 'token-unnamed',
    path: ofToken.replace(ROWS[0]?.id ?? '', ROWS[3]?.id ?? ''),
    boot: table,
    reach: see('Nothing here yet.'),
  },
  {
    name: 'token-delete',
    path: ofToken,
    boot: table,
    reach: async (page) => {
      await page.getByRole('button', { name: 'Delete this token…' }).click();
      await see(/Deletion is permanent/)(page);
    },
  },
  {
    name: 'token-two-values',
    path: ofToken,
    boot: listed([twoValues, ...ROWS.slice(1)]),
    reach: see('Two values are live'),
  },
  {
    name: 'token-two-values-off',
    path: ofToken,
    boot: listed([{ ...twoValues, active: false }, ...ROWS.slice(1)]),
    reach: see('Both are refused while the token is inactive.'),
  },
  {
    name: 'table-two-values',
    path: acme,
    boot: listed([twoValues, ...ROWS.slice(1)]),
    reach: see('Two values live'),
  },
  { name: 'rotate', path: ofToken, boot: table, reach: openRotate },
  {
    name: 'rotate-while-retiring',
    path: ofToken,
    boot: listed([twoValues, ...ROWS.slice(1)]),
    reach: openRotate,
  },
  afterRotate('rotate-busy', silence, 'Rotating…'),
  afterRotate('rotate-failed', broken, /makes no second value/),
  afterRotate(
    'rotate-changed-meanwhile',
    problem(409, 'secret-changed'),
    /Its value was replaced a moment ago/,
  ),
  afterRotate(
    'rotate-lost',
    json({ token: twoValues, secret: null, effectiveAt: new Date().toISOString() }),
    'Rotated, but not shown',
  ),
  afterRotate(
    'rotate-secret',
    json({ token: twoValues, secret: SECRET, effectiveAt: new Date().toISOString() }, 201),
    'Copy your API token',
  ),
  {
    name: 'end-old-value',
    path: ofToken,
    boot: listed([twoValues, ...ROWS.slice(1)]),
    reach: openEnd,
  },
  {
    name: 'end-old-value-failed',
    path: ofToken,
    boot: listed([twoValues, ...ROWS.slice(1)]),
    given: (page) => answer(page, `${tokens}/*/retire`, broken),
    reach: async (page) => {
      await openEnd(page);
      await page.getByRole('alertdialog').getByRole('button', { name: 'End now' }).click();
      await see(/Couldn’t confirm the change/)(page);
    },
  },
  {
    name: 'end-old-value-done',
    path: ofToken,
    boot: listed([twoValues, ...ROWS.slice(1)]),
    given: (page) => answer(page, `${tokens}/*/retire`, receipt(ended)),
    reach: async (page) => {
      await openEnd(page);
      await page.getByRole('alertdialog').getByRole('button', { name: 'End now' }).click();
      await see(/Old value refused since/)(page);
    },
  },
  {
    name: 'token-refused-addresses',
    ...atLimited,
    given: (page) => answer(page, 'organisations/acme/usage', json(refusedCalls())),
    reach: see('198.51.100.7'),
  },
  { name: 'token-limited', ...atLimited, reach: see('This limit restrains browsers only.') },
  {
    name: 'token-expired',
    path: ofToken,
    boot: listed([expired, ...ROWS.slice(1)]),
    reach: see(/Give it a new end/),
  },
  {
    name: 'token-expires-soon',
    path: ofToken,
    boot: listed([{ ...limited, expiresAt: inHours(24 * 6) }, ...ROWS.slice(1)]),
    reach: see(/Expires in \d days/),
  },
  { name: 'table-ends', path: acme, boot: listed(ending), reach: see('Expires in 5 hours') },
  dialogOfLimit('limit-access', 'Narrow the access', /a token can only be narrowed/, ROWS[0]),
  dialogOfLimit('limit-paths', 'Edit paths', /Paths can only be narrowed/),
  dialogOfLimit('limit-first-paths', 'Edit paths', /Empty: all paths/, ROWS[0]),
  dialogOfLimit('limit-networks', 'Edit networks', /Empty: any/),
  dialogOfLimit('limit-origins', 'Edit websites', /restrains browsers only/),
  dialogOfLimit('limit-end', 'Edit the end', /From that instant on/),
  dialogOfLimit('limit-new-end', 'Give it a new end…', /The same value works again at once/, expired),
  afterLimit('limit-busy', silence, 'Saving…'),
  afterLimit('limit-refused', invalidNetwork, /has bits beyond its length/),
  afterLimit('limit-failed', broken, /Couldn’t confirm the change/),
  afterLimit('limit-done', receipt({ ...limited, networks: ['203.0.113.0/24'] }), /Refused elsewhere since/),
  {
    name: 'exposed',
    path: acme,
    boot: listed([exposed, ROWS[1], inUrl, ...ROWS.slice(3)]),
    reach: see(/Nobody can use it now/),
  },
  {
    name: 'exposed-long-name',
    path: acme,
    boot: listed([{ ...exposed, name: LONG }, ...ROWS.slice(1)]),
    reach: see(/Nobody can use it now/),
  },
  { name: 'token-exposed', ...atExposed, reach: see(/Somebody reported/) },
  {
    name: 'token-exposed-in-url',
    path: ofToken.replace(ROWS[0]?.id ?? '', ROWS[2]?.id ?? ''),
    boot: listed([...ROWS.slice(0, 2), inUrl, ...ROWS.slice(3)]),
    reach: see(/was inactive already/),
  },
  {
    name: 'token-exposed-replace',
    ...atExposed,
    reach: async (page) => {
      await page.getByRole('button', { name: 'Replace it…' }).click();
      await see(/because it was exposed/)(page);
    },
  },
  { name: 'resume', ...atExposed, reach: openResume },
  afterResume('resume-busy', silence, 'Resuming…'),
  stillThere(
    [exposed],
    afterResume('resume-failed', problem(429, 'too-many-requests', { 'retry-after': '42' }), /42 s/),
  ),
  afterResume('resume-done', receipt({ ...exposed, active: true, exposed: null }), /Accepted since/),
  {
    name: 'zone-menu',
    ...atTable,
    reach: async (page) => {
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await see('Pause all tokens…')(page);
    },
  },
  { name: 'pause', ...atTable, reach: openPause },
  {
    name: 'pause-ten',
    path: acme,
    boot: listed(TEN),
    given: (page) => answer(page, 'organisations/acme/usage', broken),
    reach: openPause,
  },
  afterPause('pause-busy', silence, 'Pausing…'),
  afterPause('pause-failed', broken, /Couldn’t confirm the pause/),
  afterPause(
    'pause-done',
    json({ tokens: together.filter((_, index) => index !== 2), effectiveAt: new Date().toISOString() }),
    /3 tokens paused\. Refused everywhere/,
  ),
  {
    name: 'paused-together',
    path: acme,
    boot: listed(together),
    reach: see(/3 tokens were paused together/),
  },
  afterResumeAll('resume-all-busy', silence, 'Resuming…'),
  stillThere(
    together,
    afterResumeAll('resume-all-failed', problem(429, 'too-many-requests', { 'retry-after': '42' }), /42 s/),
  ),
  afterResumeAll(
    'resume-all-done',
    json({
      tokens: ROWS.filter((_, index) => index !== 2),
      effectiveAt: new Date().toISOString(),
    }),
    /3 tokens resumed\. Accepted since/,
  ),
  {
    name: 'place-paused',
    path: acme,
    boot: { ...table, ...placePaused },
    reach: see(/paused this organisation/),
  },
  {
    name: 'token-place-paused',
    path: ofToken,
    boot: { ...table, ...placePaused },
    reach: see(/paused this organisation/),
  },
  {
    name: 'token-still-called',
    path: ofToken,
    boot: listed([
      { ...ROWS[0], retired: [{ preview: '9pQq1', retiredAt: ago(30), lastUsedAt: ago(31) }] },
      ...ROWS.slice(1),
    ]),
    given: (page) => answer(page, 'organisations/acme/still-calling', json(STILL)),
    reach: see('Who calls'),
  },
  {
    name: 'activity-still-calling',
    path: '/activity?organisation=acme',
    given: (page) => answer(page, 'organisations/acme/still-calling', json(STILL)),
    reach: see('Show 3 more'),
  },
  {
    name: 'activity-still-calling-unknown',
    path: '/activity?organisation=acme',
    given: (page) => answer(page, 'organisations/acme/still-calling', broken),
    reach: see(/That does not mean that nobody calls/),
  },
  {
    name: 'token-gone',
    path: ofToken.replace(ROWS[0]?.id ?? '', 'nowhere'),
    boot: table,
    reach: see('This token doesn’t exist'),
  },
  {
    name: 'create',
    path: acme,
    boot: table,
    reach: async (page) => {
      await openCreate(page);
      await see('Create a new API token?')(page);
    },
  },
  withoutDialogs('dialog-waiting', silence, 'Loading…'),
  withoutDialogs('dialog-missing', cut, 'Couldn’t load the dialog'),
  { name: 'create-unfolded', path: acme, boot: table, reach: unfold },
  { name: 'create-limited', path: acme, boot: table, reach: chooseLimits },
  following(
    atTable,
    async (page) => {
      await chooseLimits(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).click();
    },
    tokens,
  )('create-refused', invalidNetwork, /203\.0\.113\.7\/24 has bits beyond its length/),
  {
    name: 'create-without-a-date',
    path: acme,
    boot: table,
    reach: async (page) => {
      await unfold(page);
      await page.getByLabel('Expires').selectOption('date');
      await page.getByRole('dialog').getByRole('button', { name: 'Create Token' }).click();
      await see(/Choose a date/)(page);
    },
  },
  afterCreate('create-busy', silence, 'Creating…'),
  afterCreate('create-failed', broken, /makes no second token/),
  afterCreate(
    'create-limit-of-another-tab',
    problem(409, 'token-limit-reached'),
    /reached the limit of 10 tokens/,
  ),
  afterCreate('create-cut', cut, /makes no second token/),
  afterCreate('create-lost', created(null), /cannot be shown again/),
  { name: 'secret', path: acme, boot: table, given: shown, reach: showSecret },
  {
    name: 'secret-copied',
    path: acme,
    boot: table,
    given: shown,
    reach: async (page) => {
      await showSecret(page);
      await page.getByRole('button', { name: 'Copy', exact: true }).click();
      await see('Copied to clipboard')(page);
    },
  },
  {
    name: 'secret-clipboard-refused',
    path: acme,
    boot: table,
    given: shown,
    reach: async (page) => {
      await showSecret(page);
      await page.evaluate(() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
      });
      await page.getByRole('button', { name: 'Copy', exact: true }).click();
      await see(/copy it by hand/)(page);
    },
  },
  {
    name: 'secret-tested',
    path: acme,
    boot: table,
    given: async (page) => {
      await shown(page);
      await page.route('**/v1/ping', json({ status: 'ok', organisation: { id: 'acme' } }));
    },
    reach: async (page) => {
      await showSecret(page);
      await page.getByText('First call').click();
      await page.getByRole('tab', { name: 'Python' }).click();
      await page.getByRole('button', { name: 'Test the connection' }).click();
      await see(/"status": "ok"/)(page);
    },
  },
  {
    name: 'secret-not-copied',
    path: acme,
    boot: table,
    given: shown,
    reach: async (page) => {
      await showSecret(page);
      await page.getByRole('button', { name: 'Done' }).click();
      await see('Close anyway')(page);
    },
  },
  {
    name: 'secret-done',
    path: acme,
    boot: table,
    given: shown,
    reach: async (page) => {
      await showSecret(page);
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('button', { name: 'Close anyway' }).click();
      await see(/\*\*\* created/)(page);
    },
  },
  {
    name: 'delete',
    path: acme,
    boot: table,
    reach: async (page) => {
      await openDelete(page);
      await see(/Deletion is permanent/)(page);
    },
  },
  {
    name: 'delete-long-name',
    path: acme,
    boot: listed([{ ...ROWS[0], name: LONG }, ...ROWS.slice(1)]),
    reach: async (page) => {
      await openDelete(page);
      await see(/Deletion is permanent/)(page);
    },
  },
  beforeDelete('delete-asking', silence, /calls in the last 24 hours/),
  beforeDelete('delete-asking-all', silence, 'Looking up who calls…', false),
  beforeDelete('delete-unknown', broken, /Who calls it is unknown/, false),
  beforeDelete('delete-unknown-callers', broken, /From where is unknown/),
  afterDelete('delete-busy', silence, 'Deleting…'),
  afterDelete('delete-failed', broken, /Couldn’t delete/),
  withoutFirst(afterDelete('delete-gone', problem(404, 'token-not-found'), /was deleted already/)),
  afterDelete('delete-done', receipt(ROWS[0] ?? {}), /deleted\. Refused everywhere since/),
  afterSwitch('session-ended', problem(401, 'sign-in-required'), /Your session has ended/),
  {
    name: 'session-ended-single-sign-on',
    path: acme,
    boot: { ...table, methods: { link: false, oidc: { name: 'Example Identity' } } },
    given: patched(problem(401, 'sign-in-required')),
    reach: async (page) => {
      await first(page).click();
      await see('Continue with Example Identity')(page);
    },
  },
  {
    name: 'signed-out-everywhere',
    path: '/sessions?organisation=acme',
    given: async (page) => {
      await answer(page, 'sessions', json(SESSIONS));
      await answer(page, 'sessions/sign-out-everywhere', (route) => route.fulfill({ status: 204 }));
    },
    reach: async (page) => {
      await page.getByRole('button', { name: 'Sign out everywhere' }).click();
      await see('You are signed out.')(page);
    },
  },
  {
    name: 'sign-out-failed',
    path: acme,
    boot: table,
    given: (page) => answer(page, 'sign-out', broken),
    reach: async (page) => {
      await openMenuOnPhone(page);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await see(/Something went wrong/)(page);
    },
  },
  {
    name: 'activity',
    path: '/activity?organisation=acme',
    given: (page) => answer(page, 'organisations/acme/activity*', json(EVENTS)),
    reach: see('Show older'),
  },
  {
    name: 'activity-empty',
    path: '/activity?organisation=acme',
    given: (page) => answer(page, 'organisations/acme/activity*', json({ events: [], next: null })),
    reach: see('Nothing here yet.'),
  },
  {
    name: 'activity-failed',
    path: '/activity?organisation=acme',
    given: (page) => answer(page, 'organisations/acme/activity*', broken),
    reach: see('Couldn’t load the activity'),
  },
  {
    name: 'sessions',
    path: '/sessions?organisation=acme',
    given: (page) => answer(page, 'sessions', json(SESSIONS)),
    reach: see('This browser'),
  },
  {
    name: 'sessions-failed',
    path: '/sessions?organisation=acme',
    given: (page) => answer(page, 'sessions', broken),
    reach: see('Couldn’t load your sessions'),
  },
  {
    name: 'menu',
    path: acme,
    boot: table,
    widths: [320, 390],
    reach: async (page) => {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('navigation').waitFor();
    },
  },
  { name: 'not-found', path: '/nowhere', reach: see('This page doesn’t exist') },
];

/** Brings the page into the state. */
export async function enter(page: Page, origin: string, state: State): Promise<void> {
  await answer(page, 'organisations/acme/usage', json(USAGE));
  await answer(page, `${tokens}/*/calls`, (route) => json(calls())(route));
  await answer(page, 'organisations/acme/still-calling', json({ stillCalling: [] }));
  await answer(page, 'organisations/acme/activity*', (route) => {
    const token = new URL(route.request().url()).searchParams.get('token');
    const events = EVENTS.events.filter(({ tokenId }) => token === null || tokenId === token);
    return json({ events, next: null })(route);
  });
  // The page loads the list again after a change without an answer.
  await answer(page, tokens, json({ tokens: ROWS, limit: 10 }));
  await withBoot(page, state.boot ?? null);
  await state.given?.(page);
  await page.goto(origin + state.path);
  await state.reach?.(page);
}

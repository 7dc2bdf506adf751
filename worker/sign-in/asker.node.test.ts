import { expect, it } from 'vitest';
import { browserOf } from './asker.ts';

const MOZILLA = 'Mozilla/5.0';
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0';

it.each([
  [`${MOZILLA} (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0`, 'Firefox on Windows'],
  [`${MOZILLA} (X11; Linux x86_64) ${CHROME} Safari/537.36`, 'Chrome on Linux'],
  [`${MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) ${CHROME} Safari/537.36 OPR/130.0`, 'Opera on a Mac'],
  [`${MOZILLA} (Linux; Android 16) ${CHROME} Mobile Safari/537.36 EdgA/156.0`, 'Edge on Android'],
  [
    `${MOZILLA} (iPhone; CPU iPhone OS 19_1 like Mac OS X) CriOS/156.0 Mobile/15E148 Safari/604.1`,
    'Chrome on an iPhone',
  ],
  [`${MOZILLA} (X11; Linux x86_64)`, 'Unknown browser on Linux'],
  ['<b>Call +1 900</b> now', 'Unknown browser'],
  [null, 'Unknown browser'],
])('names the browser and the system of %s', (agent, name) => {
  expect(browserOf(agent, 'Unknown browser')).toBe(name);
});

// Builds the static files in dist/ui: one HTML file for each screen of the dashboard, so that unknown paths are 404, and the
// documentation (docs/site).
import { readdirSync } from 'node:fs';
import { defineConfig } from 'vite';
import { buildDocumentation, sourcesOfDocumentation } from '../docs/site/documentation.ts';

// A page for people to use, also where the tests build it: theirs is another NODE_ENV, and would be a third larger.
process.env['NODE_ENV'] = 'production';

const DOCS = `${import.meta.dirname}/../docs`;
/** The modules of the screens that are loaded when one of them is first opened. */
const LATER = /ui\/(?:activity|sentence|sessions|still-calling)[\w-]*\.tsx?$|\/download\.m?js$/;
/** The modules that `token-part.tsx` alone needs: they go into its file. */
const TOKEN =
  /ui\/(?:calls-|change|create|delet|dialog-|draft|exposed|foresight|limit|may-do|no-login|pause-|rotat|secret|token-calls|token-heading|token-page|token-part)[\w-]*\.tsx?$|\/(?:calendar-off|chevron-right|pencil|plug|refresh-cw)\.m?js$/;

export default defineConfig({
  root: import.meta.dirname,
  plugins: [
    {
      // Vite adds a loader of styles and preloads to the late imports, which need none: 0.8 KB of Brotli.
      name: 'plain-imports',
      enforce: 'pre',
      load: (id) =>
        id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : null,
    },
    {
      name: 'documentation',
      buildStart() {
        for (const file of sourcesOfDocumentation(DOCS)) this.addWatchFile(file);
      },
      generateBundle() {
        for (const [fileName, source] of Object.entries(buildDocumentation(DOCS))) {
          this.emitFile({ type: 'asset', fileName, source });
        }
      },
    },
  ],
  // Elements by h(): calls with positional children are smaller than the objects of the automatic runtime.
  oxc: {
    jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment' },
    jsxInject: "import { h, Fragment } from 'preact'",
  },
  build: {
    outDir: '../dist/ui',
    emptyOutDir: true,
    target: 'es2024',
    // The default target would rewrite light-dark() into variables that a theme on a nested element cannot reach.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // Every module is named in the HTML, or loaded when it is needed. A preloader would cost more than it saves.
    modulePreload: false,
    rollupOptions: {
      input: readdirSync(import.meta.dirname)
        .filter((name) => name.endsWith('.html'))
        .map((name) => `${import.meta.dirname}/${name}`),
      output: {
        // One file for the code that every visit needs, and one for the screens that are opened later. Modules in one file compress
        // better than in many.
        codeSplitting: {
          groups: [
            // The first group, because modules that both files need must be in this file.
            {
              name: 'app',
              priority: 2,
              test: (id) => /\.tsx?$|node_modules/.test(id) && !LATER.test(id) && !TOKEN.test(id),
            },
            { name: 'later', priority: 1, test: LATER },
          ],
        },
      },
    },
  },
});

// Builds the dashboard into dist/ui: one HTML file per screen, so that unknown paths stay honest 404s.
import { preact } from '@preact/preset-vite';
import { defineConfig } from 'vite';

const SCREENS = ['sign-in', 'developer-zone', 'activity', 'sessions', '404'];

export default defineConfig({
  root: import.meta.dirname,
  plugins: [preact()],
  build: {
    outDir: '../dist/ui',
    emptyOutDir: true,
    // The default target would rewrite light-dark() into variables that a theme on a nested element cannot reach.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // Every module is named in the HTML or fetched when it is needed; a preloader would cost more than it saves.
    modulePreload: false,
    rollupOptions: { input: SCREENS.map((screen) => `${import.meta.dirname}/${screen}.html`) },
  },
});

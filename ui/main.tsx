// Starts the dashboard. The URL names the screen.
import { render } from 'preact';
import { App } from './app.tsx';
import { keepFocus } from './focus.ts';

const root = document.getElementById('app');
if (root !== null) {
  render(<App />, root);
  keepFocus(root);
}

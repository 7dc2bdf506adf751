/** Begins the rewriting of a page: it gets the theme that the reader chose, from the cookie. */
export function withTheme({ headers }: Request): HTMLRewriter {
  const theme = /(?:^|; *)theme=(light|dark)(?:;|$)/.exec(headers.get('cookie') ?? '')?.[1];
  return new HTMLRewriter().on('html', {
    element(html) {
      if (theme !== undefined) html.setAttribute('data-theme', theme);
    },
  });
}

// The two static files of the documentation, as text: the Worker serves them from this origin.

/** Adds a copy button to every sample; without it the samples are text that can be selected. */
export const COPY_JS = `for (const sample of document.querySelectorAll('.sample')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.ariaLive = 'polite';
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(sample.querySelector('code').textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(sample.querySelector('code'));
      button.textContent = 'Selected';
    }
    setTimeout(() => (button.textContent = 'Copy'), 2500);
  };
  sample.append(button);
}
`;

/** The dashboard's colours and type. */
export const DOCS_CSS = `:root{color-scheme:light dark;--ground:light-dark(#f6f6f9,#0f1015);--surface:light-dark(#fff,#17181f);--line:light-dark(#e3e3ea,#2a2c37);--ink:light-dark(#16171d,#ececf3);--muted:light-dark(#5b5d6b,#a2a4b5);--accent:light-dark(#4338ca,#a9a5ff);--wash:light-dark(#eeefff,#22223c);font:15px/1.6 ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif;color:var(--ink);background:var(--ground);-webkit-text-size-adjust:100%;scroll-padding-top:16px}
:root[data-theme=light]{color-scheme:light}:root[data-theme=dark]{color-scheme:dark}
*{box-sizing:border-box}
body{margin:0;display:grid;grid-template-columns:252px minmax(0,1fr);min-height:100dvh}
header{position:sticky;top:0;height:100dvh;overflow:auto;padding:20px 16px;background:var(--surface);border-right:1px solid var(--line)}
.brand{display:flex;gap:10px;align-items:center;padding:0 8px;font-weight:700;font-size:16px;color:var(--ink);text-decoration:none}
nav ul{list-style:none;margin:12px 0;padding:0}
nav li a{display:block;padding:6px 8px;border-radius:8px;color:var(--muted);text-decoration:none}
nav li a:hover{background:var(--ground);color:var(--ink)}
nav li.sub a{padding-left:20px;font-size:14px}
nav a[aria-current]{background:var(--wash);color:var(--accent);font-weight:600}
summary{padding:6px 8px;border-radius:8px;font-weight:600;font-size:13px;color:var(--muted);cursor:pointer}
details ul{margin:0}
@media(min-width:761px){@supports selector(::details-content){details::details-content{content-visibility:visible;block-size:auto}summary{display:none}nav+nav::before{content:attr(aria-label);display:block;padding:0 8px 6px;font-weight:600;font-size:13px;color:var(--muted)}}}
main{min-width:0;width:100%;max-width:860px;padding:36px 48px 96px}
h1{margin:0;font-size:26px;line-height:1.2;letter-spacing:-.02em}
main h2{margin:48px 0 8px;padding-top:20px;border-top:1px solid var(--line);font-size:19px}
main h3{margin:32px 0 4px;font-size:16px}
:target{color:var(--accent)}
p{margin:8px 0;overflow-wrap:anywhere}li{overflow-wrap:anywhere}
a{color:var(--accent)}.quiet{color:var(--muted)}
code{font:13px/1.6 ui-monospace,'SF Mono',SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace}
p code,li code,td code{padding:1px 5px;border-radius:5px;background:var(--surface);border:1px solid var(--line)}
.sample{position:relative;margin:12px 0;background:var(--surface);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.sample::before{content:attr(data-language);display:block;padding:8px 16px 0;line-height:30px;font-size:13px;color:var(--muted)}
pre{margin:0;padding:4px 16px 14px;overflow:auto}pre:focus-visible{outline-offset:-3px;border-radius:12px}
.call b{padding:2px 6px;border-radius:5px;background:var(--wash);color:var(--accent);font-size:13px}
.sample button{position:absolute;top:8px;right:8px;min-width:64px;min-height:30px;font:inherit;font-size:13px;color:var(--ink);background:var(--ground);border:1px solid var(--line);border-radius:8px;cursor:pointer}
.table{overflow:auto;margin:12px 0}table{width:100%;border-collapse:collapse}
th,td{padding:7px 10px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}td code{white-space:nowrap}main ul{padding-left:22px}th{font-size:13px;color:var(--muted)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.skip{position:fixed;z-index:1;top:8px;left:8px;padding:8px 14px;background:var(--surface);border-radius:8px;transform:translateY(-80px)}.skip:focus{transform:none}
@media(max-width:760px){body{display:block}header{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line);padding:12px 16px}main{padding:20px 16px 64px}.brand{padding:0}main h2{margin-top:32px;padding-top:16px}nav[aria-label=Documentation] ul{display:flex;flex-wrap:wrap;margin:8px -8px 4px}summary{margin:0 -8px}}
@media print{header,.skip,.sample button{display:none}body{display:block}main{max-width:none;padding:0}pre{white-space:pre-wrap}}
`;

/** The page on which somebody who allowed it in Slack says for which Matrix user. It needs no script. */
export function confirmPage(asked: { readonly user: string; readonly state: string; readonly nonce: string }): string {
  const { user, state, nonce } = asked;
  const field = (name: string, value: string): string =>
    `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`;
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in</title></head>
<body>
<h1>Are you ${escapeHtml(user)}?</h1>
<p>The Matrix user <strong>${escapeHtml(user)}</strong> will be able to read and write in Slack as you.
If that is not you, close this page: somebody sent you a link of theirs.</p>
<form method="post" action="oauth_confirm">${field("state", state)}${field("nonce", nonce)}
<button type="submit">Yes, sign me in as ${escapeHtml(user)}</button></form>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

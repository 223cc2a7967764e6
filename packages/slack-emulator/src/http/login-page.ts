/** The page Slack shows to who may not see a file: HTML with status 200, to trap those who do not look. */
export const loginPage = `<!DOCTYPE html>
<html lang="en-US">
<head><meta charset="utf-8"><title>Sign in | Slack</title></head>
<body><h1>Sign in to your workspace</h1><form action="/signin" method="post"><input type="email" name="email"></form></body>
</html>
`;

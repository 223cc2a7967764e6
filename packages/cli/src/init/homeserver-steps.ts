export interface RegisteredFile {
  /** Absolute. */
  readonly path: string;
  readonly serverName: string;
}

/** What to do on each homeserver so that it knows these registrations, in lines for a person. */
export function homeserverSteps(files: readonly RegisteredFile[]): string[] {
  const serverName = files[0]?.serverName ?? "example.org";
  const list = (indent: string): string[] => files.map(({ path }) => `${indent}- ${path}`);
  return [
    "Synapse: in homeserver.yaml",
    "    app_service_config_files:",
    ...list("      "),
    "  then restart Synapse: it reads registrations only at its start. Its user must be able to read them, e.g. by a copy:",
    ...files.map(({ path }) => `    sudo install -m 640 -g matrix-synapse ${path} /etc/matrix-synapse/`),
    "",
    "Dendrite: in dendrite.yaml",
    "    app_service_api:",
    "      config_files:",
    ...list("        "),
    "  then restart Dendrite.",
    "",
    "Conduit: in the admin room, one message for each registration, with the file's content between the fences",
    `    @conduit:${serverName}: register-appservice`,
    "    ```",
    ...files.map(({ path }) => `    (the content of ${path})`),
    "    ```",
    "",
    "tuwunel: in the admin room, likewise, no restart needed",
    "    !admin appservices register",
    "    ```",
    ...files.map(({ path }) => `    (the content of ${path})`),
    "    ```",
  ];
}

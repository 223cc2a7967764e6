import { createChannel, shareChannel } from "../actions/channels.js";
import { install } from "../oauth/install.js";
import type {
  AppOptions,
  ChannelOptions,
  InstallOptions,
  ResolvedOptions,
  UserOptions,
  WorkspaceOptions,
} from "../options.js";
import { usualBotScopes, usualUserScopes } from "../options.js";
import type { App, Token } from "./apps.js";
import type { Team, User } from "./people.js";
import type { World } from "./world.js";

/** Builds everything the options describe. */
export function buildWorld(world: World, options: ResolvedOptions): void {
  for (const enterprise of options.enterprises) {
    const id = enterprise.id ?? world.ids.next("E");
    world.enterprises.set(id, { id, name: enterprise.name ?? enterprise.domain, domain: enterprise.domain });
  }
  for (const workspace of options.workspaces) buildTeam(world, workspace);
  for (const workspace of options.workspaces) shareChannels(world, workspace);
  for (const app of options.apps) buildApp(world, app);
}

/** The workspace of a domain. */
export function teamOf(world: World, domain: string): Team {
  const team = [...world.teams.values()].find((each) => each.domain === domain || each.id === domain);
  if (team === undefined)
    throw new Error(
      `There is no workspace ${domain}; there is ${[...world.teams.values()].map((each) => each.domain).join(", ")}`,
    );
  return team;
}

/** The user of a handle or id in a workspace. */
export function userOf(world: World, team: Team, name: string): User {
  const handle = name.replace(/^@/, "");
  const user = world.usersOf(team.id).find((each) => each.name === handle || each.id === handle);
  if (user === undefined) throw new Error(`There is no user ${name} in the workspace ${team.domain}`);
  return user;
}

/** Makes a workspace with its people and channels. */
export function buildTeam(world: World, options: WorkspaceOptions): Team {
  const enterprise = [...world.enterprises.values()].find((each) => each.domain === options.enterprise);
  if (options.enterprise !== undefined && enterprise === undefined)
    throw new Error(`There is no enterprise ${options.enterprise}`);
  const team: Team = {
    id: options.id ?? world.ids.next("T"),
    name: options.name ?? options.domain,
    domain: options.domain,
    emailDomain: `${options.domain}.example`,
    emoji: new Map(Object.entries(options.emoji ?? {})),
    userGroups: new Map(),
    unfurls: new Map(Object.entries(options.unfurls ?? {})),
    created: world.clock.seconds(),
    ...(enterprise === undefined ? {} : { enterprise }),
  };
  world.teams.set(team.id, team);
  for (const user of options.users ?? []) buildUser(world, team, user);
  for (const channel of options.channels ?? []) buildChannel(world, team, channel);
  for (const group of options.userGroups ?? []) {
    const id = group.id ?? world.ids.next("S");
    const now = world.clock.seconds();
    const users = group.users.map((name) => userOf(world, team, name).id);
    team.userGroups.set(id, {
      id,
      teamId: team.id,
      name: group.name ?? group.handle,
      handle: group.handle,
      description: "",
      users,
      disabled: 0,
      created: now,
      updated: now,
      createdBy: users[0] ?? "",
    });
  }
  return team;
}

/** Adds a person. */
export function buildUser(world: World, team: Team, options: UserOptions): User {
  const user: User = {
    id: options.id ?? world.ids.next(team.enterprise === undefined ? "U" : "W"),
    teamId: team.id,
    name: options.name,
    profile: {
      realName: options.realName ?? options.name,
      displayName: options.displayName ?? options.name,
      email: options.email ?? `${options.name}@${team.emailDomain}`,
      title: options.title ?? "",
      phone: "",
      statusText: "",
      statusEmoji: "",
      avatarHash: world.secret(6),
    },
    timezone: options.timezone ?? "Etc/UTC",
    deleted: options.deactivated ?? false,
    admin: options.admin ?? false,
    owner: options.owner ?? false,
    guest: options.guest ?? "no",
    presence: "active",
    locale: "en-US",
    updated: world.clock.seconds(),
  };
  world.users.set(user.id, user);
  return user;
}

function buildChannel(world: World, team: Team, options: ChannelOptions): void {
  const everybody = world.usersOf(team.id).filter((user) => !user.deleted);
  const members = (options.members?.map((name) => userOf(world, team, name)) ?? everybody).map((user) => user.id);
  const creatorId = members[0] ?? everybody[0]?.id ?? "";
  const kind = options.private === true ? "private" : "public";
  const channel = createChannel(world, {
    id: options.id,
    kind,
    name: options.name,
    teamId: team.id,
    creatorId,
    members,
    general: options.general,
  });
  if (options.topic !== undefined)
    channel.topic = { value: options.topic, creator: creatorId, lastSet: channel.created };
  if (options.purpose !== undefined)
    channel.purpose = { value: options.purpose, creator: creatorId, lastSet: channel.created };
  channel.archived = options.archived ?? false;
}

function shareChannels(world: World, options: WorkspaceOptions): void {
  const team = teamOf(world, options.domain);
  for (const { name, sharedWith } of options.channels ?? []) {
    const channel = world.channelsOf(team.id).find((each) => each.name === name);
    for (const domain of sharedWith ?? []) {
      const other = teamOf(world, domain);
      if (channel !== undefined)
        shareChannel(
          world,
          channel,
          other.id,
          team.enterprise === undefined || team.enterprise.id !== other.enterprise?.id,
        );
    }
  }
}

/** Makes an app, its app-level token and its installations. */
export function buildApp(world: World, options: AppOptions): App {
  const app: App = {
    id: options.id ?? world.ids.next("A"),
    name: options.name,
    clientId: options.clientId ?? `${world.secret(5)}.${world.secret(6)}`,
    clientSecret: options.clientSecret ?? world.secret(16),
    signingSecret: options.signingSecret ?? world.secret(16),
    verificationToken: world.secret(12),
    socketMode: options.socketMode ?? options.requestUrl === undefined,
    ...(options.requestUrl === undefined ? {} : { requestUrl: options.requestUrl }),
    botScopes: options.botScopes ?? usualBotScopes,
    userScopes: options.userScopes ?? usualUserScopes,
    botEvents: options.botEvents ?? ["*"],
    userEvents: options.userEvents ?? ["*"],
    commands: (options.commands ?? []).map((command) =>
      typeof command === "string"
        ? { command }
        : { command: command.command, ...(command.url === undefined ? {} : { url: command.url }) },
    ),
    redirectUrls: options.redirectUrls ?? [],
    tokenRotation: options.tokenRotation ?? false,
  };
  world.apps.set(app.id, app);
  issueAppToken(world, app, options.appToken);
  for (const installation of options.installations ?? []) installFrom(world, app, installation);
  return app;
}

/** Makes an app-level token: for sockets and for the list of authorizations. */
export function issueAppToken(world: World, app: App, value = `xapp-1-${app.id}-${world.secret()}`): Token {
  const token: Token = {
    value,
    kind: "app",
    appId: app.id,
    teamId: "",
    userId: "",
    scopes: ["connections:write", "authorizations:read"],
    revoked: false,
    enterpriseInstall: false,
  };
  world.tokens.set(token.value, token);
  return token;
}

/** Installs an app as the options say, without asking anybody. */
export function installFrom(world: World, app: App, options: InstallOptions): void {
  const team = teamOf(world, options.workspace);
  const people = world.usersOf(team.id).filter((user) => user.botId === undefined);
  const installer = options.by === undefined ? people[0] : userOf(world, team, options.by);
  if (installer === undefined)
    throw new Error(`Nobody in the workspace ${team.domain} can install ${app.name}: it has no people`);
  const { bot, botToken } = install(world, { app, team, user: installer, botScopes: app.botScopes, userScopes: [] });
  if (botToken !== undefined && options.botToken !== undefined) {
    world.tokens.delete(botToken.value);
    world.tokens.set(options.botToken, { ...botToken, value: options.botToken });
  }
  for (const name of options.users ?? [])
    install(world, { app, team, user: userOf(world, team, name), botScopes: [], userScopes: app.userScopes });
  for (const name of options.channels ?? []) {
    const channel = world.channelsOf(team.id).find((each) => each.name === name || each.id === name);
    if (channel === undefined) throw new Error(`There is no channel ${name} in the workspace ${team.domain}`);
    if (bot !== undefined) channel.members.add(bot.userId);
  }
}

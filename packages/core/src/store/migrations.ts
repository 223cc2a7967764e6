import type { Database } from "better-sqlite3";

/**
 * The schema, one step a version. A step that was released is never changed; a new one is added instead. Ids of rooms,
 * channels and ghosts are integers, because every message row repeats them.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE bridge (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  -- What was journaled together is one row, and is gone when all of it is delivered; meanwhile the numbers of those that
  -- are stand beside it (JSON).
  CREATE TABLE segment (first INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE segment_done (first INTEGER PRIMARY KEY, done TEXT NOT NULL) STRICT;

  -- Journaled entries with a row of their own: they wait, are dead, or were left by an earlier process.
  -- direction: 0 Matrix to network, 1 network to Matrix. state: 0 queued, 1 waiting, 2 dead.
  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    bridge INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    lane TEXT NOT NULL,
    source TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    strikes INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL,
    payload TEXT,
    error TEXT
  ) STRICT;
  CREATE INDEX journal_open ON journal (direction, bridge, lane, seq) WHERE state < 2;
  CREATE INDEX journal_dead ON journal (seq) WHERE state = 2;

  -- When something was last journaled in each lane.
  CREATE TABLE activity (
    bridge INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    lane TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (bridge, direction, lane)
  ) STRICT, WITHOUT ROWID;

  -- What was journaled already, by hash: this generation, the one before, and those that are not in their place yet.
  CREATE TABLE seen (hash INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE seen_before (hash INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE seen_log (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
  INSERT INTO meta (key, value) VALUES ('hashSeed', abs(random() % 2147483647));

  -- The parts of a journaled message with more than one: what the wire takes, and what came of it.
  CREATE TABLE part (
    seq INTEGER NOT NULL,
    part INTEGER NOT NULL,
    wire TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    remote TEXT,
    PRIMARY KEY (seq, part)
  ) STRICT, WITHOUT ROWID;

  -- encrypted: 0 no, 1 yes (for ever), null not known yet.
  CREATE TABLE room (
    id INTEGER PRIMARY KEY,
    room TEXT NOT NULL UNIQUE,
    encrypted INTEGER,
    management INTEGER NOT NULL DEFAULT 0,
    direct_user TEXT,
    replacement TEXT
  ) STRICT;

  CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    bridge INTEGER NOT NULL,
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    topic TEXT,
    cursor TEXT,
    UNIQUE (bridge, channel)
  ) STRICT;

  -- kind: 0 portal, 1 plumbed, 2 direct.
  CREATE TABLE link (
    room INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (room, channel)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX link_channel ON link (channel);

  CREATE TABLE ghost (
    id INTEGER PRIMARY KEY,
    bridge INTEGER NOT NULL,
    remote TEXT NOT NULL,
    user TEXT NOT NULL UNIQUE,
    name TEXT,
    avatar TEXT,
    UNIQUE (bridge, remote)
  ) STRICT;

  -- desired, actual: 0 out, 1 in.
  CREATE TABLE membership (
    room INTEGER NOT NULL,
    ghost INTEGER NOT NULL,
    desired INTEGER NOT NULL,
    actual INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    PRIMARY KEY (room, ghost)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX membership_pending ON membership (next_at) WHERE desired <> actual;

  -- The indexes follow the newest rows after a while; a hash is verified by the row.
  CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    remote TEXT NOT NULL,
    part INTEGER NOT NULL,
    room INTEGER NOT NULL,
    event TEXT NOT NULL,
    sender TEXT NOT NULL
  ) STRICT;
  CREATE TABLE message_event (hash INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (hash, id)) STRICT, WITHOUT ROWID;
  CREATE TABLE message_remote (hash INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (hash, id)) STRICT, WITHOUT ROWID;

  CREATE TABLE reaction (
    channel INTEGER NOT NULL,
    remote TEXT NOT NULL,
    room INTEGER NOT NULL,
    sender TEXT NOT NULL,
    key TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (channel, remote, room, sender, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reaction_event ON reaction (event);

  -- Matrix users in linked rooms, as last seen.
  CREATE TABLE member (
    room INTEGER NOT NULL,
    user TEXT NOT NULL,
    membership TEXT NOT NULL,
    name TEXT,
    avatar TEXT,
    PRIMARY KEY (room, user)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE media (
    bridge INTEGER NOT NULL,
    source TEXT NOT NULL,
    uri TEXT NOT NULL,
    info TEXT NOT NULL,
    PRIMARY KEY (bridge, source)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE revoked (event TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE login (
    id TEXT PRIMARY KEY,
    bridge INTEGER NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    remote TEXT,
    secret BLOB NOT NULL,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX login_user ON login (bridge, user);

  CREATE TABLE storage (
    bridge INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (bridge, key)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Spaces of a network and their Matrix rooms; room: null from before one is made until it is known.
  CREATE TABLE space (
    id INTEGER PRIMARY KEY,
    bridge INTEGER NOT NULL,
    space TEXT NOT NULL,
    room TEXT,
    name TEXT NOT NULL DEFAULT '',
    topic TEXT NOT NULL DEFAULT '',
    picture TEXT NOT NULL DEFAULT '',
    UNIQUE (bridge, space)
  ) STRICT;

  -- What is in a space, or is being put into it (done: 0).
  CREATE TABLE space_room (
    space INTEGER NOT NULL,
    room TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (space, room)
  ) STRICT, WITHOUT ROWID;

  -- Pictures of networks that were uploaded, the latest with the highest id.
  CREATE TABLE picture (
    id INTEGER PRIMARY KEY,
    bridge INTEGER NOT NULL,
    source TEXT NOT NULL,
    uri TEXT NOT NULL,
    name TEXT,
    UNIQUE (bridge, source)
  ) STRICT;
  CREATE INDEX picture_uri ON picture (bridge, uri);

  -- Messages that are pinned on both sides.
  CREATE TABLE pin (
    channel INTEGER NOT NULL,
    room INTEGER NOT NULL,
    remote TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (channel, room, remote)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- An attempt may have reached the target (1): it is asked before another one is made.
  ALTER TABLE journal ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Which of a bridge's networks a login is for; '' where it has one alone, or the connector was not asked yet.
  ALTER TABLE login ADD COLUMN network TEXT NOT NULL DEFAULT '';
  `,
  `
  -- Policy lists, as the operator names them, and what was last read of them; entity: null where an event bans nobody.
  CREATE TABLE policy_list (
    bridge INTEGER NOT NULL,
    list TEXT NOT NULL,
    room TEXT NOT NULL,
    PRIMARY KEY (bridge, list)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE policy_rule (
    bridge INTEGER NOT NULL,
    list TEXT NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT NOT NULL,
    entity TEXT,
    PRIMARY KEY (bridge, list, type, state_key)
  ) STRICT, WITHOUT ROWID;

  -- Who is in a room, and of whom its channels were told that they left, because a policy list bans them.
  CREATE TABLE policy_absent (
    bridge INTEGER NOT NULL,
    room INTEGER NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (bridge, room, user)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Lanes whose place others took, so that what was journaled in them is known in those.
  CREATE TABLE former_lane (
    bridge INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    lane TEXT NOT NULL,
    former TEXT NOT NULL,
    PRIMARY KEY (bridge, direction, lane, former)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Logins that are under way, of which what is typed is a secret also after a crash.
  CREATE TABLE login_begun (
    id TEXT PRIMARY KEY,
    bridge INTEGER NOT NULL,
    user TEXT NOT NULL,
    room TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

export class SchemaTooNew extends Error {
  override readonly name = "SchemaTooNew";
}

/** Brings a database to the newest version (or to `upTo`), each step in a transaction of its own. */
export function migrate(db: Database, steps: readonly string[] = migrations): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > steps.length) {
    throw new SchemaTooNew(
      `The database has schema version ${version}, but this Trestle knows versions up to ${steps.length}. Start the newer Trestle that wrote it, or restore a backup from before the upgrade.`,
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(step);
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
}

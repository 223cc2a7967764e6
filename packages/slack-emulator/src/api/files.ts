import { z } from "zod";
import { completeFile, createFile, deleteFile, shareFiles } from "../actions/files.js";
import { names, objects, optionalText, text, whole } from "./args.js";
import type { StoredFile } from "../state/files.js";
import { fileView } from "../views/file.js";
import { postableChannel } from "./chat-content.js";
import { SlackError } from "./error.js";
import { type Caller, type Method, method } from "./method.js";

/** Whether a caller may see a file: their own, or shared where they are. */
export function maySee(caller: Pick<Caller, "world" | "user" | "token">, file: StoredFile): boolean {
  if (file.userId === caller.user.id) return true;
  return file.shares.some((share) => {
    const channel = caller.world.channels.get(share.channelId);
    return (
      channel !== undefined &&
      channel.teamIds.includes(caller.token.teamId) &&
      (channel.kind === "public" || channel.members.has(caller.user.id))
    );
  });
}

function fileFor(caller: Caller, id: string | undefined): StoredFile {
  const file = caller.world.files.get(id ?? "");
  if (file?.state !== "complete" || !maySee(caller, file)) throw new SlackError("file_not_found");
  if (file.deleted) throw new SlackError("file_deleted");
  return file;
}

const completed = z
  .array(
    z.object({
      id: z.string(),
      title: z.string().optional(),
      alt_txt: z.string().optional(),
      highlight_type: z.string().optional(),
    }),
  )
  .min(1);

function uploaded(caller: Caller, raw: readonly unknown[]): StoredFile[] {
  const parsed = completed.safeParse(raw);
  if (!parsed.success)
    throw new SlackError("invalid_arguments", {
      response_metadata: { messages: ["[ERROR] files must be a list of objects with an id [json-pointer:/files]"] },
    });
  return parsed.data.map(({ id, title, alt_txt: altText }) => {
    const file = caller.world.files.get(id);
    if (file === undefined || file.appId !== caller.app.id || file.userId !== caller.user.id)
      throw new SlackError("file_not_found");
    if (file.state !== "uploaded")
      throw new SlackError(file.state === "complete" ? "file_already_completed" : "file_not_uploaded");
    if (title !== undefined) file.title = title;
    if (altText !== undefined) file.altText = altText;
    return file;
  });
}

const complete = method(
  "files.completeUploadExternal",
  ["files:write"],
  z.object({
    files: objects,
    channel_id: optionalText,
    channels: names,
    thread_ts: optionalText,
    initial_comment: text.optional(),
    blocks: objects,
  }),
  (caller, args) => {
    const files = uploaded(caller, args.files ?? []);
    const channels = [...(args.channel_id === undefined ? [] : [args.channel_id]), ...args.channels].map((id) =>
      postableChannel(caller, id),
    );
    if (
      args.thread_ts !== undefined &&
      channels.some((channel) => channel.messages.get(args.thread_ts ?? "") === undefined)
    )
      throw new SlackError("invalid_thread_ts");
    for (const file of files) completeFile(caller.world, file);
    // Slack shares after it answered: the answer knows no message yet.
    caller.world.clock.after(0, () => {
      for (const channel of channels) {
        const present = files.filter((file) => !file.deleted);
        if (present.length > 0)
          shareFiles(caller.world, channel, caller.author, {
            files: present,
            comment: args.initial_comment,
            blocks: args.blocks,
            threadTs: args.thread_ts,
          });
      }
    });
    return { files: files.map((file) => fileView(caller.world, file)) };
  },
);

const pageArgs = z.object({
  channel: optionalText,
  user: optionalText,
  ts_from: optionalText,
  ts_to: optionalText,
  count: whole.optional(),
  page: whole.optional(),
  types: optionalText,
});

/** files.* */
export const fileMethods: readonly Method[] = [
  method(
    "files.getUploadURLExternal",
    ["files:write"],
    z.object({ filename: optionalText, length: whole.optional(), alt_txt: optionalText, snippet_type: optionalText }),
    (caller, args) => {
      if (args.filename === undefined)
        throw new SlackError("invalid_arguments", {
          response_metadata: { messages: ["[ERROR] missing required field: filename"] },
        });
      if (args.length === undefined || args.length === 0)
        throw new SlackError("invalid_arguments", {
          response_metadata: { messages: ["[ERROR] missing required field: length"] },
        });
      if (args.length > caller.limits.fileSize) throw new SlackError("file_upload_size_restricted");
      const file = createFile(caller.world, {
        name: args.filename,
        size: args.length,
        teamId: caller.team.id,
        userId: caller.user.id,
        appId: caller.app.id,
        altText: args.alt_txt,
        mode: args.snippet_type === undefined ? "hosted" : "snippet",
      });
      return { upload_url: `${caller.world.baseUrl}/upload/v1/${file.id}-${caller.world.secret(8)}`, file_id: file.id };
    },
  ),
  complete,
  method("files.info", ["files:read"], z.object({ file: optionalText }), (caller, args) => {
    const file = fileFor(caller, args.file);
    const count = { count: 100, total: 0, page: 1, pages: 0 };
    return { file: fileView(caller.world, file), comments: [], paging: count };
  }),
  method("files.list", ["files:read"], pageArgs, (caller, args) => {
    const known = [...caller.world.files.values()]
      .filter((file) => file.state === "complete" && !file.deleted && maySee(caller, file))
      .filter((file) => args.user === undefined || file.userId === args.user)
      .filter((file) => args.channel === undefined || file.shares.some((share) => share.channelId === args.channel))
      .reverse();
    const count = Math.max(1, args.count ?? 100);
    const page = Math.max(1, args.page ?? 1);
    const files = known.slice((page - 1) * count, page * count).map((file) => fileView(caller.world, file));
    return { files, paging: { count, total: known.length, page, pages: Math.ceil(known.length / count) } };
  }),
  method("files.delete", ["files:write"], z.object({ file: optionalText }), (caller, args) => {
    const file = fileFor(caller, args.file);
    if (file.userId !== caller.user.id) throw new SlackError("cant_delete_file");
    deleteFile(caller.world, file);
    return {};
  }),
  method(
    "files.sharedPublicURL",
    ["files:write"],
    z.object({ file: optionalText }),
    (caller, args) => {
      const file = fileFor(caller, args.file);
      if (file.publicSecret !== undefined) throw new SlackError("already_public");
      file.publicSecret = caller.world.secret(5);
      return { file: fileView(caller.world, file) };
    },
    ["user"],
  ),
];

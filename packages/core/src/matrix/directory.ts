import type { RoomAlias, RoomId } from "../connector/ids.js";
import { absentAsNull, answers, type EventContent, parsed } from "./answers.js";
import type { MatrixHttp } from "./http.js";
import { pathPart as part } from "./path.js";
import type { ReadRequest } from "./requests.js";
import type { MatrixResult } from "./result.js";

const v3 = "/_matrix/client/v3";
const aliasRoute = "/directory/room/{roomAlias}";

/** How rooms are found: their aliases, the homeserver's public list, and the application service's list of a network. */
export class DirectoryApi {
  constructor(private readonly http: MatrixHttp) {}

  /** `null`: there is no such alias. */
  async resolveAlias(
    alias: RoomAlias,
    request: ReadRequest = {},
  ): Promise<MatrixResult<{ readonly roomId: RoomId; readonly servers: readonly string[] } | null>> {
    const result = await this.http.request({
      ...request,
      method: "GET",
      path: aliasPath(alias),
      route: aliasRoute,
    });
    return absentAsNull(parsed(result, answers.alias));
  }

  /** The aliases of this homeserver that lead to a room. */
  async aliasesOf(room: RoomId, request: ReadRequest = {}): Promise<MatrixResult<readonly string[]>> {
    const path = `${v3}/rooms/${part(room)}/aliases`;
    const result = await this.http.request({ ...request, method: "GET", path, route: "/rooms/{roomId}/aliases" });
    return parsed(result, answers.aliases);
  }

  /** Fails with 409 where the alias exists already, also where it points to the same room. */
  async setAlias(alias: RoomAlias, room: RoomId, request: ReadRequest = {}): Promise<MatrixResult<undefined>> {
    const body = { room_id: room };
    return parsed(
      await this.http.request({
        ...request,
        method: "PUT",
        path: aliasPath(alias),
        route: aliasRoute,
        body,
      }),
      answers.nothing,
    );
  }

  /** Also a success where there is no such alias. */
  async deleteAlias(alias: RoomAlias, request: ReadRequest = {}): Promise<MatrixResult<undefined>> {
    const result = await this.http.request({
      ...request,
      method: "DELETE",
      path: aliasPath(alias),
      route: aliasRoute,
    });
    const deleted = absentAsNull(parsed(result, answers.nothing));
    return deleted.ok ? { ok: true, body: undefined } : deleted;
  }

  /** Shows a room in the application service's own list of a network, or hides it. */
  async setNetworkVisibility(
    networkId: string,
    room: RoomId,
    visibility: "public" | "private",
  ): Promise<MatrixResult<undefined>> {
    const path = `${v3}/directory/list/appservice/${part(networkId)}/${part(room)}`;
    return this.#put(path, "/directory/list/appservice/{networkId}/{roomId}", { visibility }, {});
  }

  /** Shows a room in the homeserver's public list, or hides it. */
  async setVisibility(
    room: RoomId,
    visibility: "public" | "private",
    request: ReadRequest = {},
  ): Promise<MatrixResult<undefined>> {
    return this.#put(
      `${v3}/directory/list/room/${part(room)}`,
      "/directory/list/room/{roomId}",
      { visibility },
      request,
    );
  }

  async #put(path: string, route: string, body: EventContent, rest: ReadRequest): Promise<MatrixResult<undefined>> {
    return parsed(await this.http.request({ ...rest, method: "PUT", path, route, body }), answers.nothing);
  }
}

function aliasPath(alias: RoomAlias): string {
  return `${v3}/directory/room/${part(alias)}`;
}

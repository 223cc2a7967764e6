-- Message moderation (XEP-0425) for the tests: Prosody 0.12 has none of its own.
-- A moderator asks the room; the room tells everybody, and archives what it told.
local st = require "util.stanza";
local new_id = require "util.id".medium;
local get_room_from_jid = module:depends("muc").get_room_from_jid;

local xmlns_moderate = "urn:xmpp:message-moderate:1";
local xmlns_retract = "urn:xmpp:message-retract:1";

module:hook("muc-disco#info", function(event)
	event.reply:tag("feature", { var = xmlns_moderate }):up();
end);

module:hook("iq-set/bare/" .. xmlns_moderate .. ":moderate", function(event)
	local stanza, origin = event.stanza, event.origin;
	local room = get_room_from_jid(stanza.attr.to);
	if not room then
		return origin.send(st.error_reply(stanza, "cancel", "item-not-found"));
	end
	local occupant = room:get_occupant_by_real_jid(stanza.attr.from);
	if not occupant or occupant.role ~= "moderator" then
		return origin.send(st.error_reply(stanza, "auth", "forbidden"));
	end
	local moderate = stanza.tags[1];
	local message = st.message({ from = room.jid, type = "groupchat", id = new_id() })
		:tag("retract", { xmlns = xmlns_retract, id = moderate.attr.id })
			:tag("moderated", { xmlns = xmlns_moderate, by = occupant.nick }):up();
	local reason = moderate:get_child_text("reason");
	if reason then
		message:text_tag("reason", reason);
	end
	message:up():tag("store", { xmlns = "urn:xmpp:hints" }):up();
	room:broadcast_message(message);
	return origin.send(st.reply(stanza));
end);

-- Pictures of rooms (XEP-0486) for the tests: Prosody 0.12 has none of its own. The picture is in the vCard of the room,
-- which its owners may set; its hash is told to who enters, and to everybody when it changes.
local st = require "util.stanza";
local base64 = require "util.encodings".base64;
local sha1 = require "util.hashes".sha1;
local get_room_from_jid = module:depends("muc").get_room_from_jid;

local xmlns_vcard = "vcard-temp";
local cards = module:open_store("room_cards");

local function card_of(room)
	return st.deserialize(cards:get((room.jid:match("^[^@]+"))));
end

local function hash_of(room)
	local card = card_of(room);
	local photo = card and card:get_child("PHOTO");
	local bytes = photo and base64.decode(photo:get_child_text("BINVAL") or "");
	return bytes and bytes ~= "" and sha1(bytes, true) or "";
end

local function told(room)
	return st.presence({ from = room.jid })
		:tag("x", { xmlns = "vcard-temp:x:update" }):text_tag("photo", hash_of(room));
end

module:hook("muc-disco#info", function(event)
	event.reply:tag("feature", { var = xmlns_vcard }):up();
end);

module:hook("muc-occupant-session-new", function(event)
	local presence = told(event.room);
	presence.attr.to = event.jid;
	module:send(presence);
end);

module:hook("iq/bare/" .. xmlns_vcard .. ":vCard", function(event)
	local stanza, origin = event.stanza, event.origin;
	local room = get_room_from_jid(stanza.attr.to);
	if not room then
		origin.send(st.error_reply(stanza, "cancel", "item-not-found"));
		return true;
	end
	if stanza.attr.type == "get" then
		local card = card_of(room);
		origin.send(card and st.reply(stanza):add_child(card) or st.error_reply(stanza, "cancel", "item-not-found"));
		return true;
	end
	if room:get_affiliation(stanza.attr.from) ~= "owner" then
		origin.send(st.error_reply(stanza, "auth", "forbidden"));
		return true;
	end
	cards:set((room.jid:match("^[^@]+")), st.preserialize(stanza.tags[1]));
	origin.send(st.reply(stanza));
	room:broadcast_message(told(room));
	room:broadcast_message(st.message({ from = room.jid, type = "groupchat" })
		:tag("x", { xmlns = "http://jabber.org/protocol/muc#user" }):tag("status", { code = "104" }));
	return true;
end);

import { expect, test } from "vitest";
import { ClientPlaces, clientOf, Place } from "./client-places.ts";

const take = (places: ClientPlaces, address: string): Place => {
  const place = places.enter(address);
  if (!(place instanceof Place)) throw new Error(place);
  return place;
};

test("one client gets so many places and no more, and others theirs", () => {
  const places = new ClientPlaces({ places: 2, silent: 9 });
  const first = take(places, "192.0.2.1");
  take(places, "192.0.2.1");
  expect(places.enter("192.0.2.1")).toBe("too-many-of-one-client");
  take(places, "192.0.2.2");
  first.leave();
  first.leave();
  take(places, "192.0.2.1");
  expect(places.enter("192.0.2.1")).toBe("too-many-of-one-client");
});

test("who has asked for something counts no longer among the silent", () => {
  const places = new ClientPlaces({ places: 9, silent: 1 });
  const first = take(places, "192.0.2.1");
  expect(places.enter("192.0.2.1")).toBe("too-many-silent-of-one-client");
  first.speak();
  first.speak();
  const second = take(places, "192.0.2.1");
  first.leave();
  expect(places.enter("192.0.2.1")).toBe("too-many-silent-of-one-client");
  second.leave();
  take(places, "192.0.2.1");
});

test.each([
  ["192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.2", false],
  ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true],
  ["2001:db8:0:1::1", "2001:db8:0:2::1", false],
])("%s and %s are one client: %s", (one, other, areOne) => {
  expect(clientOf(one) === clientOf(other)).toBe(areOne);
});

test("streams take places, and give them back with their connection", () => {
  const places = new ClientPlaces({ places: 3, silent: 9 });
  const connection = take(places, "192.0.2.1");
  expect([connection.addStream(), connection.addStream(), connection.addStream()]).toEqual([true, true, false]);
  connection.endStream();
  expect(connection.addStream()).toBe(true);
  connection.leave();
  connection.endStream(); // it ends after its connection
  expect(connection.addStream()).toBe(false);
  expect(places.clients).toBe(0);
});

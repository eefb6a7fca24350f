// Use the generated types as a user of the API would: sign in, write, page, read, change, meet refusals, delete.
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Media = "application/json" | "application/problem+json"; // and no lists of chosen members
type Blog = components["schemas"]["BlogOut"];

const baseUrl = process.env["BASE"] ?? "";
const stranger = createClient<paths, Media>({ baseUrl });

const signedIn = await stranger.POST("/api/v1/auth/login", {
  body: { name: "admin", password: process.env["PASSWORD"] ?? "" },
});
assert(signedIn.data, "no token");
const client = createClient<paths, Media>({
  baseUrl,
  headers: { Authorization: `Bearer ${signedIn.data.data.token}` },
});

const created = await client.POST("/api/v1/tag", { body: { name: "typescript client" } });
assert(created.data);
const tag = created.data.data;

const written: string[] = [];
for (const number of [0, 1, 2]) {
  const { data } = await client.POST("/api/v1/blog", {
    body: { title: `Blog ${number}`, content: "…", status: "published", tags: [tag.id] },
  });
  assert(data);
  written.push(data.data.id);
}

const read: Blog[] = [];
let after: string | null | undefined;
do {
  const { data } = await client.GET("/api/v1/blog", {
    params: { query: { tag: tag.id, sort: "title", limit: 2, ...(after ? { after } : {}) } },
  });
  assert(data);
  read.push(...data.data);
  after = data.page.next;
} while (after !== null);
assert.deepEqual(
  read.map((blog) => blog.id),
  written,
);

const blog_id = written[0] ?? "";
const shown = await stranger.GET("/api/v1/blog/{blog_id}", { params: { path: { blog_id } } });
assert.equal(shown.data?.data.title, "Blog 0");
assert.deepEqual(shown.data.data.tags, [{ id: tag.id, name: "typescript client" }]);
const changed = await client.PATCH("/api/v1/blog/{blog_id}", {
  params: { path: { blog_id } },
  body: { title: "Changed" },
});
assert.equal(changed.data?.data.title, "Changed");
assert.equal(changed.data.data.content, "…");

const invalid = await client.POST("/api/v1/blog", { body: { title: "", content: "…" } });
assert.equal(invalid.response.status, 422);
assert.equal(invalid.error?.code, "invalid");
assert.deepEqual(invalid.error.errors[0]?.loc, ["body", "title"]);
const missing = await client.GET("/api/v1/blog/{blog_id}", { params: { path: { blog_id: tag.id } } });
assert.equal(missing.response.status, 404);
assert.equal(missing.error?.code, "blog_not_found");

for (const id of written) {
  const gone = await client.DELETE("/api/v1/blog/{blog_id}", { params: { path: { blog_id: id } } });
  assert.equal(gone.response.status, 204);
}
const gone = await client.DELETE("/api/v1/tag/{tag_id}", { params: { path: { tag_id: tag.id } } });
assert.equal(gone.response.status, 204);

// Nothing here may compile; each line that is wrong says so, and the test counts on every one of them.
import createClient from "openapi-fetch";

import type { paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: "" });

await client.POST("/api/v1/tag", { body: { nmae: "x" } }); // wrong
await client.POST("/api/v1/tag", { body: { name: 1 } }); // wrong
await client.POST("/api/v1/tag", { body: {} }); // wrong
await client.POST("/api/v1/blog", { body: { title: "x", content: "x", status: "hidden" } }); // wrong
await client.GET("/api/v1/blog", { params: { query: { titel: "x" } } }); // wrong
await client.GET("/api/v1/blogs"); // wrong
await client.GET("/api/v1/blog/{blog_id}"); // wrong
await client.DELETE("/api/v1/auth/me"); // wrong

const { data, error } = await client.GET("/api/v1/blog/{blog_id}", { params: { path: { blog_id: "x" } } });
data?.data.titel; // wrong
error?.kode; // wrong

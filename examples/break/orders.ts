// Asks a database for the orders of five days. A question that fails is asked again, twice.
import pg from "pg";

const address = process.env["ZOCALO_PROXY_DB"] ?? "127.0.0.1:5432";
const pool = new pg.Pool({
  connectionString: `postgres://${process.env["PGUSER"] ?? "shop"}@${address}/postgres`,
  connectionTimeoutMillis: 5_000,
  query_timeout: 5_000,
});
// Without this line a connection that breaks while nobody uses it ends the program.
pool.on("error", (error) => console.log(`a connection is gone: ${error.message}`));

async function ordersOf(day: number, attempts = 3): Promise<number> {
  try {
    const { rows } = await pool.query<{ orders: number }>(
      "SELECT count(*)::int AS orders FROM generate_series(1, $1)",
      [day * 100],
    );
    return rows[0]?.orders ?? 0;
  } catch (error) {
    console.log(`day ${day}: ${(error as Error).message}`);
    if (attempts === 1) throw error;
    return await ordersOf(day, attempts - 1);
  }
}

for (const day of [1, 2, 3, 4, 5]) console.log(`day ${day}: ${await ordersOf(day)} orders`);
await pool.end();

<?php
// A shop with PHP alone (php -S): PDO's SQLite, hash_hmac.
declare(strict_types=1);

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$post = $_SERVER['REQUEST_METHOD'] === 'POST';
const RANK = ['unpaid' => 0, 'expired' => 1, 'failed' => 1, 'no_payment_required' => 2, 'paid' => 2];
const MEANS = [
    'checkout.session.completed' => null,
    'checkout.session.async_payment_succeeded' => 'paid',
    'checkout.session.async_payment_failed' => 'failed',
    'checkout.session.expired' => 'expired',
];

function say(string $text): void
{
    file_put_contents('php://stderr', "$text\n");
}

function database(): PDO
{
    $db = new PDO('sqlite:shop.db');
    $db->exec('PRAGMA busy_timeout = 10000');
    $db->exec('CREATE TABLE IF NOT EXISTS payments (session_id TEXT PRIMARY KEY, amount INTEGER, currency TEXT, status TEXT,'
        . ' standing INTEGER, created INTEGER, updated INTEGER, payment_intent TEXT, event_id TEXT)');
    $db->exec('CREATE TABLE IF NOT EXISTS refunds (id TEXT PRIMARY KEY, payment_intent TEXT, amount INTEGER, gone INTEGER)');
    return $db;
}

function genuine(string $header, string $body): ?array
{
    $at = null;
    $given = [];
    foreach (explode(',', $header) as $item) {
        [$name, $value] = array_pad(explode('=', $item, 2), 2, '');
        if ($name === 't') {
            $at = $value;
        } elseif ($name === 'v1') {
            $given[] = $value;
        }
    }
    if ($at === null || !ctype_digit($at) || abs(time() - (int) $at) > 300) {
        return null;
    }
    $wanted = hash_hmac('sha256', "$at.$body", getenv('STRIPE_WEBHOOK_SECRET'));
    foreach ($given as $one) {
        if (hash_equals($wanted, $one)) {
            return json_decode($body, true);
        }
    }
    return null;
}

function take(array $event): void
{
    $thing = $event['data']['object'];
    $type = $event['type'];
    if (array_key_exists($type, MEANS) && $thing['amount_total'] !== null) {
        $status = MEANS[$type] ?? $thing['payment_status'];
        $row = [$thing['id'], $thing['amount_total'], $thing['currency'], $status, RANK[$status], $thing['created']];
        array_push($row, $event['created'], $thing['payment_intent'] ?? null, $event['id']);
        database()->prepare('INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id) DO UPDATE SET'
            . ' status = excluded.status, standing = excluded.standing, updated = excluded.updated,'
            . ' payment_intent = excluded.payment_intent WHERE excluded.standing > standing')->execute($row);
        say("{$event['id']} {$thing['id']} {$thing['amount_total']} {$thing['currency']} $status");
    } elseif (in_array($type, ['refund.created', 'refund.updated', 'refund.failed'], true)) {
        $gone = (int) in_array($thing['status'], ['failed', 'canceled'], true);
        database()->prepare('INSERT INTO refunds VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET'
            . ' gone = max(gone, excluded.gone)')->execute([$thing['id'], $thing['payment_intent'], $thing['amount'], $gone]);
    }
}

function ledger(): array
{
    $rows = database()->query('SELECT *, (SELECT coalesce(sum(amount), 0) FROM refunds WHERE gone = 0 AND'
        . ' refunds.payment_intent = payments.payment_intent) AS back FROM payments')->fetchAll(PDO::FETCH_ASSOC);
    foreach ($rows as &$row) {
        if ($row['status'] === 'paid' && $row['back'] > 0) {
            $row['status'] = $row['back'] >= $row['amount'] ? 'refunded' : 'partially_refunded';
        }
        unset($row['standing'], $row['back']);
    }
    return $rows;
}

function buy(): string
{
    $origin = 'http://127.0.0.1:' . getenv('PORT');
    $product = ['currency' => 'jpy', 'unit_amount' => 500, 'product_data' => ['name' => 'Green tea']];
    $wish = http_build_query([
        'mode' => 'payment',
        'success_url' => "$origin/success?session_id={CHECKOUT_SESSION_ID}",
        'cancel_url' => "$origin/cancel",
        'line_items' => [['quantity' => 1, 'price_data' => $product]],
    ]);
    $headers = ['Authorization: Bearer ' . getenv('STRIPE_SECRET_KEY'), 'Content-Type: application/x-www-form-urlencoded'];
    if (isset($_POST['order'])) {
        $headers[] = 'Idempotency-Key: order-' . $_POST['order'];
    }
    $how = stream_context_create(['http' => ['method' => 'POST', 'header' => $headers, 'content' => $wish]]);
    $answer = file_get_contents(getenv('STRIPE_API_BASE') . '/v1/checkout/sessions', false, $how);
    return json_decode($answer, true)['url'];
}

if ($path === '/webhook') {
    $event = $post ? genuine($_SERVER['HTTP_STRIPE_SIGNATURE'] ?? '', file_get_contents('php://input')) : null;
    http_response_code($event === null ? 400 : 200);
    if ($event !== null && ($event['object'] ?? '') === 'event' && empty($event['livemode'])) {
        try {
            take($event);
        } catch (Throwable $error) {
            say('failed: ' . $error->getMessage());
            http_response_code(500);
        }
    }
} elseif ($path === '/ledger') {
    if (!preg_match('/^(127\.0\.0\.1|localhost)(:|$)/', $_SERVER['HTTP_HOST'])) {
        http_response_code(403);
    } else {
        header('Content-Type: application/json');
        echo json_encode(['rows' => ledger()]);
    }
} elseif ($path === '/checkout') {
    if ($post) {
        header('Location: ' . buy(), true, 303);
    } else {
        http_response_code(405);
    }
} elseif ($path === '/') {
    $order = bin2hex(random_bytes(8));
    echo '<!doctype html><meta charset="utf-8"><h1>Hello, tea</h1><form method="post" action="/checkout">'
        . "<input type=\"hidden\" name=\"order\" value=\"$order\"><button>Buy</button></form>";
} elseif ($path === '/success') {
    echo '<!doctype html><meta charset="utf-8"><h1>Thank you</h1><a href="/">Back</a>';
} elseif ($path === '/cancel') {
    echo '<!doctype html><meta charset="utf-8"><h1>Nothing was charged</h1><a href="/">Back</a>';
} else {
    http_response_code(404);
}

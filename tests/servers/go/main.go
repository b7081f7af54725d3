// A shop with Go's standard library: net/http, the signature by hand, the ledger a file of lines.
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	origin   = "http://127.0.0.1:" + os.Getenv("PORT")
	secret   = []byte(os.Getenv("STRIPE_WEBHOOK_SECRET"))
	mutex    sync.Mutex
	payments = map[string]*row{}
	refunds  = map[string]*row{}
	rank     = map[string]int{"unpaid": 0, "expired": 1, "failed": 1, "no_payment_required": 2, "paid": 2}
)

type row struct {
	SessionID     string  `json:"session_id,omitempty"`
	Refund        string  `json:"refund,omitempty"`
	Amount        int64   `json:"amount"`
	Currency      string  `json:"currency,omitempty"`
	Status        string  `json:"status"`
	Created       int64   `json:"created,omitempty"`
	Updated       int64   `json:"updated,omitempty"`
	PaymentIntent *string `json:"payment_intent,omitempty"`
	EventID       string  `json:"event_id,omitempty"`
}

type event struct {
	ID       string
	Object   string
	Type     string
	Created  int64
	Livemode bool
	Data     struct {
		Object struct {
			ID            string
			Amount        int64
			AmountTotal   *int64 `json:"amount_total"`
			Currency      string
			Status        string
			PaymentStatus string `json:"payment_status"`
			PaymentIntent any    `json:"payment_intent"`
			Created       int64
		}
	}
}

func apply(fact *row) {
	if fact.Refund != "" {
		if known := refunds[fact.Refund]; known == nil || known.Status != "failed" {
			refunds[fact.Refund] = fact
		}
	} else if known := payments[fact.SessionID]; known == nil || rank[fact.Status] > rank[known.Status] {
		payments[fact.SessionID] = fact
	}
}

// A fact is on the disk before the answer is 200.
func write(fact *row) error {
	mutex.Lock()
	defer mutex.Unlock()
	file, err := os.OpenFile("ledger.jsonl", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	line, _ := json.Marshal(fact)
	if _, err = file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	apply(fact)
	return nil
}

func load() {
	file, err := os.Open("ledger.jsonl")
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fact := &row{}
		if json.Unmarshal(lines.Bytes(), fact) == nil {
			apply(fact)
		}
	}
}

func genuine(header string, body []byte) error {
	var at string
	var given [][]byte
	for _, item := range strings.Split(header, ",") {
		name, value, _ := strings.Cut(item, "=")
		if name == "t" {
			at = value
		} else if name == "v1" {
			if one, err := hex.DecodeString(value); err == nil {
				given = append(given, one)
			}
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return errors.New("no signature")
	}
	age := time.Since(time.Unix(seconds, 0))
	if age > 5*time.Minute || age < -5*time.Minute {
		return errors.New("too old")
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(at + "."))
	mac.Write(body)
	for _, one := range given {
		if hmac.Equal(one, mac.Sum(nil)) {
			return nil
		}
	}
	return errors.New("another signature")
}

func webhook(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if err = genuine(r.Header.Get("Stripe-Signature"), body); err != nil {
		fmt.Println("refused:", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var it event
	if err = json.Unmarshal(body, &it); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if it.Object == "event" && !it.Livemode {
		if err = take(&it); err != nil {
			fmt.Println("failed:", err)
			http.Error(w, "failed", http.StatusInternalServerError)
		}
	}
}

func take(it *event) error {
	thing := it.Data.Object
	var intent *string
	if id, ok := thing.PaymentIntent.(string); ok {
		intent = &id
	}
	status, known := map[string]string{
		"checkout.session.completed":               thing.PaymentStatus,
		"checkout.session.async_payment_succeeded": "paid",
		"checkout.session.async_payment_failed":    "failed",
		"checkout.session.expired":                 "expired",
	}[it.Type]
	switch {
	case known && thing.AmountTotal != nil:
		amount := *thing.AmountTotal
		fmt.Println(it.ID, thing.ID, amount, thing.Currency, status)
		return write(&row{
			SessionID: thing.ID, Amount: amount, Currency: thing.Currency, Status: status,
			Created: thing.Created, Updated: it.Created, PaymentIntent: intent, EventID: it.ID,
		})
	case it.Type == "refund.created" || it.Type == "refund.updated" || it.Type == "refund.failed":
		status = thing.Status
		if status == "canceled" {
			status = "failed"
		}
		return write(&row{Refund: thing.ID, Amount: thing.Amount, Status: status, PaymentIntent: intent})
	}
	return nil
}

func standing(it row) row {
	var back int64
	for _, refund := range refunds {
		if it.PaymentIntent != nil && refund.PaymentIntent != nil && *refund.PaymentIntent == *it.PaymentIntent && refund.Status != "failed" {
			back += refund.Amount
		}
	}
	if it.Status == "paid" && back >= it.Amount && back > 0 {
		it.Status = "refunded"
	} else if it.Status == "paid" && back > 0 {
		it.Status = "partially_refunded"
	}
	return it
}

func ledger(w http.ResponseWriter, r *http.Request) {
	if host, _, _ := strings.Cut(r.Host, ":"); host != "127.0.0.1" && host != "localhost" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	mutex.Lock()
	defer mutex.Unlock()
	rows := []row{}
	for _, it := range payments {
		rows = append(rows, standing(*it))
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"rows": rows})
}

func checkout(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	wish := url.Values{
		"mode":                                {"payment"},
		"success_url":                         {origin + "/success?session_id={CHECKOUT_SESSION_ID}"},
		"cancel_url":                          {origin + "/cancel"},
		"line_items[0][quantity]":             {"1"},
		"line_items[0][price_data][currency]": {"jpy"},
		"line_items[0][price_data][unit_amount]":        {"500"},
		"line_items[0][price_data][product_data][name]": {"Green tea"},
	}
	ask, _ := http.NewRequest(http.MethodPost, os.Getenv("STRIPE_API_BASE")+"/v1/checkout/sessions", strings.NewReader(wish.Encode()))
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.Header.Set("Authorization", "Bearer "+os.Getenv("STRIPE_SECRET_KEY"))
	if order := r.PostFormValue("order"); order != "" {
		ask.Header.Set("Idempotency-Key", "order-"+order)
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		http.Error(w, "closed", http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	var session struct{ URL string }
	if json.NewDecoder(answer.Body).Decode(&session) != nil || session.URL == "" {
		http.Error(w, "closed", http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, session.URL, http.StatusSeeOther)
}

func page(w http.ResponseWriter, r *http.Request) {
	var order [8]byte
	rand.Read(order[:])
	text := map[string]string{
		"/": `<h1>Hello, tea</h1><form method="post" action="/checkout"><input type="hidden" name="order" value="` +
			hex.EncodeToString(order[:]) + `"><button>Buy</button></form>`,
		"/success": `<h1>Thank you</h1><a href="/">Back</a>`,
		"/cancel":  `<h1>Nothing was charged</h1><a href="/">Back</a>`,
	}[r.URL.Path]
	if text == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.Copy(w, bytes.NewBufferString("<!doctype html>"+text))
}

func main() {
	load()
	http.HandleFunc("/webhook", webhook)
	http.HandleFunc("/ledger", ledger)
	http.HandleFunc("/checkout", checkout)
	http.HandleFunc("/", page)
	logged := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL)
		http.DefaultServeMux.ServeHTTP(w, r)
	})
	fmt.Println("listening on", origin)
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), logged))
}

// The same service as Go developers write it: net/http, one statement or one transaction a request, a pool of
// connections. PostgreSQL by pgx, SQLite by mattn/go-sqlite3; DATABASE_URL decides.
package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
)

type server struct {
	store  Store
	tokens tokenMaker
	apiKey []byte
}

func main() {
	store, err := openStore(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	s := &server{
		store:  store,
		tokens: tokenMaker{os.Getenv("LIVEKIT_API_KEY"), []byte(os.Getenv("LIVEKIT_API_SECRET")), os.Getenv("LIVEKIT_URL")},
		apiKey: []byte(os.Getenv("API_KEY")),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("POST /calls", s.authorized(s.start))
	mux.HandleFunc("POST /calls/{call_id}/join/{user_id}", s.authorized(s.join))
	mux.HandleFunc("POST /calls/{call_id}/end", s.authorized(s.end))
	mux.HandleFunc("POST /webhooks/livekit", s.handled(s.webhook))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), logged(mux)))
}

func openStore(url string) (Store, error) {
	if path, found := strings.CutPrefix(url, "sqlite:///"); found {
		return openSqlite(path)
	}
	return openPostgres(url)
}

func (s *server) start(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		CallerID string  `json:"caller_id"`
		Name     *string `json:"name"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		return problem{http.StatusBadRequest, "malformed_json"}
	}
	if !isUserID(body.CallerID) {
		return problem{http.StatusUnprocessableEntity, "validation_failed"}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	call := Call{CallID: newID(), CallerID: body.CallerID, Status: "active", StartedAt: now}
	call.RoomName = "call_" + call.CallID.String()
	session := newSession(call.CallID, body.CallerID, body.Name, now)
	if err := s.store.Start(r.Context(), call, session); err != nil {
		return err
	}
	ticket, err := s.tokens.ticket(session)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/calls/"+call.CallID.String())
	answer(w, http.StatusCreated, struct {
		Call
		SessionID uuid.UUID `json:"session_id"`
		Ticket
	}{call, session.SessionID, ticket})
	return nil
}

func (s *server) join(w http.ResponseWriter, r *http.Request) error {
	callID, err := uuid.Parse(r.PathValue("call_id"))
	if err != nil || !isUserID(r.PathValue("user_id")) {
		return problem{http.StatusUnprocessableEntity, "validation_failed"}
	}
	wanted := newSession(callID, r.PathValue("user_id"), nil, time.Now().UTC().Truncate(time.Millisecond))
	session, err := s.store.Join(r.Context(), wanted)
	if err != nil {
		return err
	}
	ticket, err := s.tokens.ticket(session)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, struct {
		CallID    uuid.UUID `json:"call_id"`
		SessionID uuid.UUID `json:"session_id"`
		UserID    string    `json:"user_id"`
		RoomName  string    `json:"room_name"`
		Ticket
	}{callID, session.SessionID, session.UserID, "call_" + callID.String(), ticket})
	return nil
}

func (s *server) end(w http.ResponseWriter, r *http.Request) error {
	callID, err := uuid.Parse(r.PathValue("call_id"))
	if err != nil {
		return problem{http.StatusUnprocessableEntity, "validation_failed"}
	}
	call, err := s.store.End(r.Context(), callID, newID(), time.Now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, call)
	return nil
}

func (s *server) authorized(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return s.handled(func(w http.ResponseWriter, r *http.Request) error {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-Key")), s.apiKey) != 1 {
			return problem{http.StatusUnauthorized, "unauthorized"}
		}
		return handle(w, r)
	})
}

// handled turns a handler's error into an answer.
func (s *server) handled(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		err := handle(w, r.WithContext(ctx))
		var known problem
		if errors.As(err, &known) {
			answer(w, known.status, map[string]string{"code": known.code})
		} else if err != nil {
			slog.Error("failed", "error", err)
			answer(w, http.StatusServiceUnavailable, map[string]string{"code": "database_unavailable"})
		}
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone
}

type statusKeeper struct {
	http.ResponseWriter
	status int
}

func (k *statusKeeper) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

// logged writes the access log to standard output, a JSON line a request.
func logged(next http.Handler) http.Handler {
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = newID().String()
		}
		w.Header().Set("X-Request-Id", id)
		keeper := &statusKeeper{w, http.StatusOK}
		next.ServeHTTP(keeper, r)
		logger.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("request_id", id),
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", keeper.status),
			slog.Duration("took", time.Since(began)))
	})
}

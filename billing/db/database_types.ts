// Written by `deno task db:types` from the migrations. Do not edit: the next run overwrites it.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      "communities": {
        Row: {
          "created_at": string;
          "current_plan_id": number;
          "has_billing_account": boolean;
          "id": string;
          "plan_until": string;
          "stripe_customer_id": string | null;
          "title": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "current_plan_id": number;
          "has_billing_account"?: never;
          "id": string;
          "plan_until"?: string;
          "stripe_customer_id"?: string | null;
          "title": string;
          "updated_at"?: string;
        };
        Update: {
          "created_at"?: string;
          "current_plan_id"?: number;
          "has_billing_account"?: never;
          "id"?: string;
          "plan_until"?: string;
          "stripe_customer_id"?: string | null;
          "title"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "communities_current_plan_fkey";
            columns: ["current_plan_id"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["id"];
          },
        ];
      };
      "features": {
        Row: {
          "code": string;
          "created_at": string;
          "included_quantity": number;
          "is_metered": boolean;
          "meter_event_name": string | null;
          "name": string;
          "unit": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "code": string;
          "created_at"?: string;
          "included_quantity"?: number;
          "is_metered"?: never;
          "meter_event_name"?: string | null;
          "name": string;
          "unit": string;
          "updated_at"?: string;
        };
        Update: {
          "code"?: string;
          "created_at"?: string;
          "included_quantity"?: number;
          "is_metered"?: never;
          "meter_event_name"?: string | null;
          "name"?: string;
          "unit"?: string;
          "updated_at"?: string;
        };
        Relationships: [];
      };
      "invoices": {
        Row: {
          "amount_due_cents": number;
          "amount_paid_cents": number;
          "as_of": string;
          "billing_reason": string | null;
          "community_id": string;
          "confirmed_at": string;
          "created_at": string;
          "currency": string;
          "customer_id": string;
          "discount_cents": number;
          "fetched_at": string | null;
          "hosted_invoice_url": string | null;
          "id": string;
          "invoice_pdf": string | null;
          "issued_at": string;
          "missing_since": string | null;
          "number": string | null;
          "paid_at": string | null;
          "plan_id": number | null;
          "price_ids": (string)[];
          "state_hash": string | null;
          "status": string;
          "subscription_id": string | null;
          "subtotal_cents": number;
          "tax_cents": number;
          "total_cents": number;
          "updated_at": string;
          "version": number;
        };
        ComputedFields: never;
        Insert: {
          "amount_due_cents": number;
          "amount_paid_cents": number;
          "as_of"?: string;
          "billing_reason"?: string | null;
          "community_id": string;
          "confirmed_at"?: string;
          "created_at"?: string;
          "currency": string;
          "customer_id": string;
          "discount_cents"?: number;
          "fetched_at"?: string | null;
          "hosted_invoice_url"?: string | null;
          "id": string;
          "invoice_pdf"?: string | null;
          "issued_at": string;
          "missing_since"?: string | null;
          "number"?: string | null;
          "paid_at"?: string | null;
          "plan_id"?: number | null;
          "price_ids"?: (string)[];
          "state_hash"?: string | null;
          "status": string;
          "subscription_id"?: string | null;
          "subtotal_cents"?: number;
          "tax_cents"?: number;
          "total_cents"?: number;
          "updated_at"?: string;
          "version"?: number;
        };
        Update: {
          "amount_due_cents"?: number;
          "amount_paid_cents"?: number;
          "as_of"?: string;
          "billing_reason"?: string | null;
          "community_id"?: string;
          "confirmed_at"?: string;
          "created_at"?: string;
          "currency"?: string;
          "customer_id"?: string;
          "discount_cents"?: number;
          "fetched_at"?: string | null;
          "hosted_invoice_url"?: string | null;
          "id"?: string;
          "invoice_pdf"?: string | null;
          "issued_at"?: string;
          "missing_since"?: string | null;
          "number"?: string | null;
          "paid_at"?: string | null;
          "plan_id"?: number | null;
          "price_ids"?: (string)[];
          "state_hash"?: string | null;
          "status"?: string;
          "subscription_id"?: string | null;
          "subtotal_cents"?: number;
          "tax_cents"?: number;
          "total_cents"?: number;
          "updated_at"?: string;
          "version"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "invoices_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "billing_overview";
            referencedColumns: ["community_id"];
          },
          {
            foreignKeyName: "invoices_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "communities";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "invoices_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "usage_overview";
            referencedColumns: ["community_id"];
          },
          {
            foreignKeyName: "invoices_plan_fkey";
            columns: ["plan_id"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["id"];
          },
        ];
      };
      "plan_limits": {
        Row: {
          "created_at": string;
          "feature": string;
          "period": string;
          "plan_id": number;
          "quota": number;
          "quota_window": string;
          "resolution": string;
          "updated_at": string;
          "window_seconds": number;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "feature": string;
          "period"?: string;
          "plan_id": number;
          "quota": number;
          "quota_window": string;
          "resolution"?: never;
          "updated_at"?: string;
          "window_seconds"?: never;
        };
        Update: {
          "created_at"?: string;
          "feature"?: string;
          "period"?: string;
          "plan_id"?: number;
          "quota"?: number;
          "quota_window"?: string;
          "resolution"?: never;
          "updated_at"?: string;
          "window_seconds"?: never;
        };
        Relationships: [
          {
            foreignKeyName: "plan_limits_feature_fkey";
            columns: ["feature"];
            isOneToOne: false;
            referencedRelation: "features";
            referencedColumns: ["code"];
          },
          {
            foreignKeyName: "plan_limits_plan_fkey";
            columns: ["plan_id"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["id"];
          },
        ];
      };
      "plans": {
        Row: {
          "billing_interval": string | null;
          "code": string;
          "created_at": string;
          "currency": string;
          "grace_period": string;
          "id": number;
          "is_active": boolean;
          "is_default": boolean;
          "name": string;
          "price_cents": number;
          "rank": number;
          "stripe_price_id": string | null;
          "trial_days": number;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "billing_interval"?: string | null;
          "code": string;
          "created_at"?: string;
          "currency": string;
          "grace_period"?: string;
          "id"?: never;
          "is_active"?: boolean;
          "is_default"?: boolean;
          "name": string;
          "price_cents": number;
          "rank": number;
          "stripe_price_id"?: string | null;
          "trial_days"?: number;
          "updated_at"?: string;
        };
        Update: {
          "billing_interval"?: string | null;
          "code"?: string;
          "created_at"?: string;
          "currency"?: string;
          "grace_period"?: string;
          "id"?: never;
          "is_active"?: boolean;
          "is_default"?: boolean;
          "name"?: string;
          "price_cents"?: number;
          "rank"?: number;
          "stripe_price_id"?: string | null;
          "trial_days"?: number;
          "updated_at"?: string;
        };
        Relationships: [];
      };
      "subscriptions": {
        Row: {
          "amount": number | null;
          "as_of": string;
          "billing_interval": string | null;
          "cancel_at": string | null;
          "canceled_at": string | null;
          "cancellation_comment": string | null;
          "cancellation_feedback": string | null;
          "cancellation_reason": string | null;
          "collection_method": string | null;
          "community_id": string;
          "confirmed_at": string;
          "created_at": string;
          "currency": string | null;
          "current_period_end": string | null;
          "current_period_start": string | null;
          "customer_id": string;
          "discounts": NonNullable<Json>;
          "ended_at": string | null;
          "fetched_at": string | null;
          "former_plan_id": number | null;
          "gives_plan_id": number | null;
          "gives_plan_until": string | null;
          "id": string;
          "interval_count": number | null;
          "items": NonNullable<Json>;
          "latest_invoice_id": string | null;
          "missing_since": string | null;
          "next_change_at": string | null;
          "next_plan_id": number | null;
          "not_past_due_at": string | null;
          "past_due_since": string | null;
          "pause_collection": Json | null;
          "payment_issue": string | null;
          "pending_update": Json | null;
          "plan_id": number | null;
          "plan_unknown_since": string | null;
          "price_ids": (string)[];
          "quantity": number | null;
          "schedule": Json | null;
          "started_at": string;
          "state_hash": string | null;
          "status": string;
          "stripe_price_id": string | null;
          "trial_end": string | null;
          "trial_start": string | null;
          "unit_amount": number | null;
          "updated_at": string;
          "version": number;
        };
        ComputedFields: never;
        Insert: {
          "amount"?: never;
          "as_of"?: string;
          "billing_interval"?: string | null;
          "cancel_at"?: string | null;
          "canceled_at"?: string | null;
          "cancellation_comment"?: string | null;
          "cancellation_feedback"?: string | null;
          "cancellation_reason"?: string | null;
          "collection_method"?: string | null;
          "community_id": string;
          "confirmed_at"?: string;
          "created_at"?: string;
          "currency"?: string | null;
          "current_period_end"?: string | null;
          "current_period_start"?: string | null;
          "customer_id": string;
          "discounts"?: NonNullable<Json>;
          "ended_at"?: string | null;
          "fetched_at"?: string | null;
          "former_plan_id"?: number | null;
          "gives_plan_id"?: number | null;
          "gives_plan_until"?: string | null;
          "id": string;
          "interval_count"?: number | null;
          "items"?: NonNullable<Json>;
          "latest_invoice_id"?: string | null;
          "missing_since"?: string | null;
          "next_change_at"?: string | null;
          "next_plan_id"?: number | null;
          "not_past_due_at"?: string | null;
          "past_due_since"?: string | null;
          "pause_collection"?: Json | null;
          "payment_issue"?: never;
          "pending_update"?: Json | null;
          "plan_id"?: number | null;
          "plan_unknown_since"?: string | null;
          "price_ids"?: (string)[];
          "quantity"?: number | null;
          "schedule"?: Json | null;
          "started_at": string;
          "state_hash"?: string | null;
          "status": string;
          "stripe_price_id"?: string | null;
          "trial_end"?: string | null;
          "trial_start"?: string | null;
          "unit_amount"?: number | null;
          "updated_at"?: string;
          "version"?: number;
        };
        Update: {
          "amount"?: never;
          "as_of"?: string;
          "billing_interval"?: string | null;
          "cancel_at"?: string | null;
          "canceled_at"?: string | null;
          "cancellation_comment"?: string | null;
          "cancellation_feedback"?: string | null;
          "cancellation_reason"?: string | null;
          "collection_method"?: string | null;
          "community_id"?: string;
          "confirmed_at"?: string;
          "created_at"?: string;
          "currency"?: string | null;
          "current_period_end"?: string | null;
          "current_period_start"?: string | null;
          "customer_id"?: string;
          "discounts"?: NonNullable<Json>;
          "ended_at"?: string | null;
          "fetched_at"?: string | null;
          "former_plan_id"?: number | null;
          "gives_plan_id"?: number | null;
          "gives_plan_until"?: string | null;
          "id"?: string;
          "interval_count"?: number | null;
          "items"?: NonNullable<Json>;
          "latest_invoice_id"?: string | null;
          "missing_since"?: string | null;
          "next_change_at"?: string | null;
          "next_plan_id"?: number | null;
          "not_past_due_at"?: string | null;
          "past_due_since"?: string | null;
          "pause_collection"?: Json | null;
          "payment_issue"?: never;
          "pending_update"?: Json | null;
          "plan_id"?: number | null;
          "plan_unknown_since"?: string | null;
          "price_ids"?: (string)[];
          "quantity"?: number | null;
          "schedule"?: Json | null;
          "started_at"?: string;
          "state_hash"?: string | null;
          "status"?: string;
          "stripe_price_id"?: string | null;
          "trial_end"?: string | null;
          "trial_start"?: string | null;
          "unit_amount"?: number | null;
          "updated_at"?: string;
          "version"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "subscriptions_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "billing_overview";
            referencedColumns: ["community_id"];
          },
          {
            foreignKeyName: "subscriptions_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "communities";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "subscriptions_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "usage_overview";
            referencedColumns: ["community_id"];
          },
          {
            foreignKeyName: "subscriptions_former_plan_fkey";
            columns: ["former_plan_id"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "subscriptions_gives_plan_fkey";
            columns: ["gives_plan_id"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "subscriptions_next_plan_fkey";
            columns: ["next_plan_id"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "subscriptions_plan_fkey";
            columns: ["plan_id"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["id"];
          },
        ];
      };
      "usage_counters": {
        Row: {
          "community_id": string;
          "feature": string;
          "quantity": number;
          "resolution": string;
          "starts_at": string;
        };
        ComputedFields: never;
        Insert: {
          "community_id": string;
          "feature": string;
          "quantity": number;
          "resolution": string;
          "starts_at": string;
        };
        Update: {
          "community_id"?: string;
          "feature"?: string;
          "quantity"?: number;
          "resolution"?: string;
          "starts_at"?: string;
        };
        Relationships: [];
      };
      "usage_events": {
        Row: {
          "community_id": string;
          "feature": string;
          "id": number;
          "idempotency_key": string | null;
          "occurred_at": string;
          "quantity": number;
          "released_quantity": number;
          "usage_report_id": number | null;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "community_id": string;
          "feature": string;
          "id"?: never;
          "idempotency_key"?: string | null;
          "occurred_at"?: string;
          "quantity": number;
          "released_quantity"?: number;
          "usage_report_id"?: number | null;
          "user_id": string;
        };
        Update: {
          "community_id"?: string;
          "feature"?: string;
          "id"?: never;
          "idempotency_key"?: string | null;
          "occurred_at"?: string;
          "quantity"?: number;
          "released_quantity"?: number;
          "usage_report_id"?: number | null;
          "user_id"?: string;
        };
        Relationships: [];
      };
    };
    Views: {
      "billing_overview": {
        Row: {
          "amount": number | null;
          "billing_interval": string | null;
          "cancel_at": string | null;
          "community_id": string;
          "currency": string | null;
          "current_period_end": string | null;
          "discounts": Json | null;
          "gives_plan_until": string | null;
          "interval_count": number | null;
          "next_change_at": string | null;
          "next_plan": string | null;
          "open_anomalies": number | null;
          "other_subscriptions": number | null;
          "paid_cents": Json | null;
          "past_due_since": string | null;
          "pause_collection": Json | null;
          "payment_issue": string | null;
          "plan": string;
          "quantity": number | null;
          "status": string | null;
          "stripe_customer_id": string | null;
          "subscription_id": string | null;
          "title": string;
          "unit_amount": number | null;
        };
        ComputedFields: never;
        Relationships: [];
      };
      "open_anomalies": {
        Row: {
          "community_id": string | null;
          "detail": string;
          "first_seen_at": string;
          "kind": string;
          "last_seen_at": string;
          "object_id": string;
          "seen": number;
          "title": string | null;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: "anomalies_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "billing_overview";
            referencedColumns: ["community_id"];
          },
          {
            foreignKeyName: "anomalies_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "communities";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "anomalies_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "usage_overview";
            referencedColumns: ["community_id"];
          },
        ];
      };
      "subscription_items": {
        Row: {
          "community_id": string;
          "currency": string | null;
          "current_period_end": string | null;
          "current_period_start": string | null;
          "id": string | null;
          "interval": string | null;
          "interval_count": number | null;
          "plan": string | null;
          "price_id": string | null;
          "product_id": string | null;
          "quantity": number | null;
          "status": string;
          "subscription_id": string;
          "unit_amount": number | null;
          "usage_type": string | null;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: "subscriptions_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "billing_overview";
            referencedColumns: ["community_id"];
          },
          {
            foreignKeyName: "subscriptions_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "communities";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "subscriptions_community_fkey";
            columns: ["community_id"];
            isOneToOne: false;
            referencedRelation: "usage_overview";
            referencedColumns: ["community_id"];
          },
        ];
      };
      "unsent_usage_reports": {
        Row: {
          "attempts": number;
          "community_id": string;
          "due_at": string;
          "error": string | null;
          "feature": string;
          "hour": string;
          "identifier": string;
          "meter_event_name": string;
          "quantity": number;
          "state": string;
          "stripe_customer_id": string;
          "title": string | null;
        };
        ComputedFields: never;
        Relationships: [];
      };
      "usage_overview": {
        Row: {
          "community_id": string;
          "feature": string;
          "period": string;
          "plan": string;
          "quota": number;
          "quota_window": string;
          "resets_at": string | null;
          "title": string;
          "used": number | null;
          "window_seconds": number;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: "plan_limits_feature_fkey";
            columns: ["feature"];
            isOneToOne: false;
            referencedRelation: "features";
            referencedColumns: ["code"];
          },
        ];
      };
      "usage_reports_overview": {
        Row: {
          "meter_event_name": string;
          "most_attempts": number | null;
          "oldest_hour": string | null;
          "overdue": string | null;
          "quantity": number | null;
          "reports": number | null;
          "state": string;
        };
        ComputedFields: never;
        Relationships: [];
      };
    };
    Functions: {
      "billing_info": { Args: Record<PropertyKey, never>; Returns: Json };
      "plan_in_force": {
        Args: { "p_community_id": string; "p_current_plan_id": number; "p_plan_until": string };
        Returns: {
          "plan_id": number;
        }[];
      };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Insert: infer I;
  } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Update: infer U;
  } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "public": {
    Enums: {},
  },
} as const;
